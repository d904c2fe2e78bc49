# expected: first_nan
import torch

w = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
target = torch.ones(3)
for _ in range(5):
    optimizer.zero_grad()
    size = torch.sqrt((w**2).sum())  # here
    loss = (w - target).square().sum() + size
    loss.backward()
    optimizer.step()
