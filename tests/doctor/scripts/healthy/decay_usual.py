# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1)
for _ in range(100):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
