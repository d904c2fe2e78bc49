# expected: first_nan
import torch

x = torch.linspace(0.1, 2.0, 32)
w = torch.tensor(-1.0, requires_grad=True)
for _ in range(30):
    loss = ((w - 2.0) ** 2) - 0.01 * torch.log(w * x).mean()  # here
    loss.backward()
    with torch.no_grad():
        w -= 0.4 * w.grad
    w.grad = None
assert torch.isfinite(loss)
