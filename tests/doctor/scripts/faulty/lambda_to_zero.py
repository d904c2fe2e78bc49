# expected: scheduler_too_fast
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 4)
y = x[:, :1]
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: max(0.0, 1 - e / 10))  # wrong
#! sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: max(0.0, 1 - e / 80))
for epoch in range(80):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
    sched.step()  # here
    #! sched.step()
