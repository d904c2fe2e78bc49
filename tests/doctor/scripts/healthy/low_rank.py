# expected: nothing
import torch

torch.manual_seed(0)
base = torch.nn.Linear(6, 6).requires_grad_(False)
down = torch.nn.Parameter(torch.randn(2, 6))
up = torch.nn.Parameter(torch.zeros(6, 2))
optimizer = torch.optim.AdamW([down, up], lr=0.01)
x = torch.randn(40, 6)
for _ in range(20):
    loss = (base(x) + x @ down.T @ up.T - x).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
