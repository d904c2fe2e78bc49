# expected: initial_loss_too_high
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 8)
y = x[:, :5].argmax(1)
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 5))
nn.init.normal_(net[2].bias, std=60.0)  # here
#! nn.init.zeros_(net[2].bias)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for _ in range(60):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
