# expected: first_nan
import torch

torch.manual_seed(0)
w = torch.ones(2, requires_grad=True)
optimizer = torch.optim.Adam([w], lr=0.1, eps=0.0)
x = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
for _ in range(3):
    optimizer.zero_grad()
    loss = (x @ w - 1).square().mean()
    loss.backward()
    optimizer.step()  # here
