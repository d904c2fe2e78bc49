# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(200, 16)
net = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 16), nn.Sigmoid())
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    for rows in torch.randperm(200).split(40):
        opt.zero_grad()
        F.binary_cross_entropy(net(x[rows] + 0.1 * torch.randn(len(rows), 16)), x[rows]).backward()
        opt.step()
