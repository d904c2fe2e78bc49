# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(300, 4) * 100
y = x[:, :1] / 50 - 1
x = (x - x.mean(0)) / x.std(0)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    for i in range(0, 300, 50):
        xb, yb = x[i : i + 50], y[i : i + 50]
        opt.zero_grad()
        F.mse_loss(net(xb), yb).backward()
        opt.step()
