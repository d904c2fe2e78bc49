# expected: rate_too_small
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 6)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=1e-5)  # here
#! opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(20):
    for rows in torch.randperm(300).split(30):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
