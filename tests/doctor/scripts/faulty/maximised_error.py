# expected: loss_maximised
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
criterion = nn.MSELoss()
for _ in range(60):
    opt.zero_grad()
    loss = -criterion(net(x), y)  # here
    loss.backward()
    opt.step()
