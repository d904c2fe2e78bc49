# expected: rows_shuffled_apart
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    a, b = torch.randperm(120), torch.randperm(120)
    for i in range(0, 120, 40):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[a[i : i + 40]]), y[b[i : i + 40]])  # here
        loss.backward()
        opt.step()
