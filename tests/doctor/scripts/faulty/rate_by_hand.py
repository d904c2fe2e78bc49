# expected: rate_too_large
import torch

torch.manual_seed(0)
x = 10 * torch.randn(100)
w = torch.zeros(1, requires_grad=True)
for _ in range(15):
    loss = ((w * x - 3 * x) ** 2).mean()
    loss.backward()  # here
    with torch.no_grad():
        w -= 0.02 * w.grad
        w.grad.zero_()
