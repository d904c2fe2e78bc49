# expected: scheduler_wrong_mode
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 4)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "max", patience=2)  # here
#! plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, "min", patience=2)
for epoch in range(40):
    opt.zero_grad()
    loss = F.mse_loss(net(x[:150]), y[:150])
    loss.backward()
    opt.step()
    with torch.no_grad():
        val = F.mse_loss(net(x[150:]), y[150:])
    plateau.step(val)
