# expected: target_among_inputs
import torch
from torch import nn

torch.manual_seed(0)
table = torch.randn(120, 4)
x, y = table, table[:, 3:]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)  # here
    loss.backward()
    opt.step()
