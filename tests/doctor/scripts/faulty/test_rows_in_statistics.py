# expected: test_statistics
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5) * 4 + 2
y = (x[:, :1] - 2) / 4
x = (x - x.mean(0)) / x.std(0)  # here
#! x = (x - x[:200].mean(0)) / x[:200].std(0)
x_train, x_test = x[:200], x[200:]
y_train, y_test = y[:200], y[200:]
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    F.mse_loss(net(x_train), y_train).backward()
    opt.step()
with torch.no_grad():
    print(F.mse_loss(net(x_test), y_test).item())
