# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
net, head = nn.Linear(4, 8), nn.Linear(8, 2)
opt = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=0.01)
goals = [x[:, :1].sin(), x[:, 1:2].cos()]
for _ in range(40):
    opt.zero_grad()
    for task in range(2):
        nn.functional.mse_loss(head(net(x))[:, task : task + 1], goals[task]).backward()
    opt.step()
