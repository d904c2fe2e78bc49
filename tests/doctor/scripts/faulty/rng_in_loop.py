# expected: seed_in_loop
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
#! rng = np.random.default_rng(0)
for step in range(60):
    rng = np.random.default_rng(0)  # here
    rows = rng.integers(0, 300, 30)
    opt.zero_grad()
    loss = F.mse_loss(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
