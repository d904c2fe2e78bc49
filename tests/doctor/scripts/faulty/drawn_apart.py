# expected: rows_shuffled_apart
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 4)
y = x[:, :1] ** 2
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(60):
    xb = x[torch.randint(0, 300, (32,))]  # here
    yb = y[torch.randint(0, 300, (32,))]  # wrong
    #! rows = torch.randint(0, 300, (32,)); xb, yb = x[rows], y[rows]
    opt.zero_grad()
    loss = F.mse_loss(net(xb), yb)
    loss.backward()
    opt.step()
