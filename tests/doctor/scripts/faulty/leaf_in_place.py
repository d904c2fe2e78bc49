# expected: changed_in_place
import torch

x = torch.arange(10.0)
w = torch.zeros(1, requires_grad=True)
for _ in range(5):
    loss = ((w * x - 2 * x) ** 2).mean()
    loss.backward()
    w -= 0.01 * w.grad  # here
