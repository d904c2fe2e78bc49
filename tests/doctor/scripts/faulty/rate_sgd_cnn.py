# expected: rate_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
images = torch.randn(60, 1, 8, 8)
y = images.mean((1, 2, 3))[:, None] * 8
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 1))
opt = torch.optim.SGD(net.parameters(), lr=2.0)  # here
#! opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    F.mse_loss(net(images), y).backward()
    opt.step()
