# expected: labels_sorted
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.cat([torch.randn(100, 4) + 1, torch.randn(100, 4) - 1, torch.randn(100, 4) * 2])
y = torch.arange(3).repeat_interleave(100)
#! rows = torch.randperm(300); x, y = x[rows], y[rows]
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(5):
    for i in range(0, 300, 25):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[i : i + 25]), y[i : i + 25])  # here
        #! loss = F.cross_entropy(net(x[i : i + 25]), y[i : i + 25])
        loss.backward()
        opt.step()
