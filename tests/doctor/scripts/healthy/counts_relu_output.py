# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(200, 4)
y = torch.poisson(1 + 3 * x[:, :1])
net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1), nn.ReLU())
nn.init.constant_(net[2].bias, 1.0)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
