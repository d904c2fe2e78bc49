"""The lesson once more: the same model and the same steps, but PyTorch autograd finds the gradient."""

import torch

import descend
from descend.report.plots import plot_columns, save

data = descend.generate("y = 2*x + 2*uniform()", columns={"x": "0:10:0.1"}, seed=0)
save(plot_columns(data["x"], data["y"], "x", "y"), "autograd_data.png")


def forward(x, w):
    """Predict y; x and w are tensors here. With functions such as torch.exp this could be any model."""
    return w * x


fit = descend.fit(
    forward, data, response="y", gradient="autograd", loss="squared", start={"w": 0.0},
    optimizer="gd", learning_rate=0.001, epochs=100, log_every=20,
)  # fmt: skip

for at, prediction in zip([7.0, 5.0], fit.predict({"x": [7.0, 5.0]}), strict=True):
    print(f"x = {at:g}: y is about {prediction:.2f}")
save(fit.plot(), "autograd.png")

# The same in plain PyTorch, to show what one epoch is.
x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
w = torch.zeros((), dtype=torch.float64, requires_grad=True)  # from here on PyTorch records what is done with w
for _ in range(100):
    loss = torch.mean((forward(x, w) - y) ** 2)
    loss.backward()  # walks back through the record and leaves dJ/dw in w.grad
    with torch.no_grad():  # the step itself is not to be recorded
        w -= 0.001 * w.grad
    w.grad.zero_()  # or the next backward() would add to it
print(f"descend: w = {fit.parameters['w']:.10f}, plain PyTorch: w = {w.item():.10f}")
