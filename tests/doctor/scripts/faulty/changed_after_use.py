# expected: changed_in_place
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(60, 5), torch.randn(60, 1)
first, second = nn.Linear(5, 8), nn.Linear(8, 1)
opt = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=0.01)
for _ in range(5):
    opt.zero_grad()
    h = torch.tanh(first(x))
    h *= 2  # here
    loss = nn.functional.mse_loss(second(h), y)
    loss.backward()
    opt.step()
