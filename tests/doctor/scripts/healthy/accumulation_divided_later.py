# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(320, 5)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(8):
    opt.zero_grad()
    for i, rows in enumerate(torch.randperm(320).split(40)):
        F.mse_loss(net(x[rows]), y[rows]).backward()
        if (i + 1) % 4 == 0:
            for p in net.parameters():
                p.grad /= 4
            opt.step()
            opt.zero_grad()
