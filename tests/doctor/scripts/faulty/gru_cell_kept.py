# expected: graph_reused
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
cell, head = nn.GRUCell(2, 8), nn.Linear(8, 1)
x = torch.randn(60, 10, 2)
opt = torch.optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
h = torch.zeros(10, 8)
for t in range(60):
    h = cell(x[t], h)  # wrong
    #! h = cell(x[t], h.detach())
    loss = F.mse_loss(head(h), x[t].sum(1, keepdim=True))
    opt.zero_grad()
    loss.backward()  # here
    #! loss.backward()
    opt.step()
