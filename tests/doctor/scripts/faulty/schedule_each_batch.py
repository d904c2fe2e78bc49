# expected: scheduler_too_fast
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.8)
for epoch in range(20):
    for k in torch.randperm(120).split(20):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[k]), y[k])
        loss.backward()
        opt.step()
        schedule.step()  # here
