# expected: changed_in_place
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(20, 6, 4)
cell, back, out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
opt = torch.optim.Adam([*cell.parameters(), *back.parameters(), *out.parameters()], lr=0.01)
for _ in range(10):
    states = torch.zeros(20, 7, 4)
    for t in range(6):
        states[:, t + 1] = torch.tanh(cell(x[:, t]) + back(states[:, t]))  # here
    loss = (out(states[:, -1]) - x.sum((1, 2))[:, None]).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
