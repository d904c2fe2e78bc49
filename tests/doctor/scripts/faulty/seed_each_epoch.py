# expected: seed_in_loop
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    torch.manual_seed(1)  # here
    for k in torch.randperm(120).split(40):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[k]), y[k])
        loss.backward()
        opt.step()
