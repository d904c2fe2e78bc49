# expected: scheduler_wrong_mode
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 6)
y = (x[:, 0] + x[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=2)  # here
#! sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", patience=2)
for epoch in range(40):
    net.train()
    opt.zero_grad()
    F.cross_entropy(net(x[:200]), y[:200]).backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        right = (net(x[200:]).argmax(1) == y[200:]).float().mean().item()
    sched.step(right)
