# expected: rate_too_large
import torch

torch.manual_seed(0)
x = 30 + 20 * torch.rand(50)
y = 2 * x + 1
w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.01)  # here
for _ in range(50):
    optimizer.zero_grad()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    optimizer.step()
