# expected: weight_decay_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 6)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.5)  # here
#! opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-4)
for _ in range(100):
    opt.zero_grad()
    F.cross_entropy(net(x), y).backward()
    opt.step()
