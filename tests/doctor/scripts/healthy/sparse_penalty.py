# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 10)
y = x[:, :1] * 2 - x[:, 1:2]
net = nn.Linear(10, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(80):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y) + 0.01 * net.weight.abs().sum()
    loss.backward()
    opt.step()
