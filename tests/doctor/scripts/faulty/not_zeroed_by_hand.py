# expected: not_zeroed
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 3 * x
w = torch.zeros(1, requires_grad=True)
for _ in range(20):
    loss = ((w * x - y) ** 2).mean()
    loss.backward()  # here
    with torch.no_grad():
        w -= 0.01 * w.grad
