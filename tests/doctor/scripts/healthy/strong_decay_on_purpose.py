# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(40, 30)
y = x[:, :1] + 0.5 * torch.randn(40, 1)
net = nn.Linear(30, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05, weight_decay=0.1)
for _ in range(100):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
