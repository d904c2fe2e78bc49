# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 4)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(15):
    for rows in torch.randperm(160).split(40):
        opt.zero_grad()
        F.mse_loss(net(x[rows]), y[rows]).backward()
        opt.step()
net.train()  # dropout stays on: many passes give a spread
with torch.no_grad():
    draws = torch.stack([net(x[160:]) for _ in range(20)])
print("error", (draws.mean(0) - y[160:]).abs().mean().item(), "spread", draws.std(0).mean().item())
