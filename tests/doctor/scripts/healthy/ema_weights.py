# expected: nothing
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(240, 5)
y = x[:, :1].abs()
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))
average = copy.deepcopy(net).requires_grad_(False)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(15):
    for rows in torch.randperm(200).split(50):
        opt.zero_grad()
        F.mse_loss(net(x[rows]), y[rows]).backward()
        opt.step()
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), net.parameters()):
                slow.lerp_(fast, 0.05)
    average.eval()
    with torch.no_grad():
        print(F.mse_loss(average(x[200:]), y[200:]).item())
