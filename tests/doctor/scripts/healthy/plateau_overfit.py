# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 20)
y = x[:, :1] + torch.randn(90, 1)
net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.3, patience=5)
for epoch in range(60):
    opt.zero_grad()
    F.mse_loss(net(x[:40]), y[:40]).backward()
    opt.step()
    with torch.no_grad():
        val = F.mse_loss(net(x[40:]), y[40:]).item()
    sched.step(val)
