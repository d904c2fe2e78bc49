# expected: nothing
import torch

# 2 / curvature lies below the rate at the start; the iterates are thrown to where the loss is flatter, and converge.
a = torch.tensor(3.0, requires_grad=True)
b = torch.tensor(0.2, requires_grad=True)
optimizer = torch.optim.SGD([a, b], lr=0.25)
for _ in range(200):
    optimizer.zero_grad()
    loss = 0.5 * (a * b - 1.0) ** 2
    loss.backward()
    optimizer.step()
assert loss.item() < 1e-3, loss
