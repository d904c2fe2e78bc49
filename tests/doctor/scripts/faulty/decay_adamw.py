# expected: weight_decay_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 6)
y = x[:, :1] * 2 + x[:, 1:2]
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=20.0)  # here
#! opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
for _ in range(150):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
