# expected: no_gradient
import torch

torch.manual_seed(0)
a = torch.zeros(2, 8, requires_grad=True)
b = torch.zeros(8, 1, requires_grad=True)
optimizer = torch.optim.SGD([a, b], lr=0.1)  # here
x = torch.randn(40, 2)
for _ in range(10):
    optimizer.zero_grad()
    loss = (torch.tanh(x @ a) @ b - x[:, :1]).square().mean()
    loss.backward()
    optimizer.step()
