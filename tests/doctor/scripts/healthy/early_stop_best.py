# expected: nothing
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = x[:, :1] + 0.3 * torch.randn(300, 1)
net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
best, kept, bad = float("inf"), None, 0
for epoch in range(60):
    net.train()
    for rows in torch.randperm(200).split(50):
        opt.zero_grad()
        F.mse_loss(net(x[rows]), y[rows]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        val = F.mse_loss(net(x[200:]), y[200:]).item()
    if val < best - 1e-4:
        best, kept, bad = val, copy.deepcopy(net.state_dict()), 0
    else:
        bad += 1
        if bad == 5:
            break
net.load_state_dict(kept)
