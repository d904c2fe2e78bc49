# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(60):
    other = torch.randperm(120)
    share = 0.7
    mixed, goal = share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(mixed), goal)
    loss.backward()
    opt.step()
