# expected: same_batch
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 6)
y = x[:, :1] * x[:, 1:2]
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(100):
    xb, yb = x[:32], y[:32]  # here
    #! rows = torch.randint(400, (32,)); xb, yb = x[rows], y[rows]
    opt.zero_grad()
    loss = F.mse_loss(net(xb), yb)
    loss.backward()
    opt.step()
print(F.mse_loss(net(x), y).item())
