"""The lesson: fit y = w*x to 100 noisy points by gradient descent, with the gradient written by hand."""

import numpy as np

import descend
from descend.report.plots import plot_columns, save

# 1. The data: x = 0, 0.1, ..., 9.9, and y = 2x plus noise.
data = descend.generate("y = 2*x + 2*uniform()", columns={"x": "0:10:0.1"}, seed=0)
save(plot_columns(data["x"], data["y"], "x", "y"), "by_hand_data.png")


def forward(x, w):
    """2. The model. Its loss is J(w) = mean((forward(x, w) - y)**2)."""
    return w * x


def gradient(x, y, w):
    """3. The gradient, dJ/dw."""
    return np.mean(2 * w * x * x - 2 * x * y)


# 4. From w = 0, a hundred times: w = w - learning_rate * gradient.
fit = descend.fit(
    forward, data, response="y", gradient=gradient, loss="squared", start={"w": 0.0},
    optimizer="gd", learning_rate=0.001, epochs=100, log_every=20,
)  # fmt: skip

# 5. What came of it.
for x, prediction in zip([7.0, 5.0], fit.predict({"x": [7.0, 5.0]}), strict=True):
    print(f"x = {x:g}: y is about {prediction:.2f}")
save(fit.plot(), "by_hand.png")
