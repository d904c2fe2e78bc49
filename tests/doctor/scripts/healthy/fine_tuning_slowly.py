# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(300):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
for group in opt.param_groups:
    group["lr"] = 1e-6
for _ in range(40):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
