# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(60, 5), torch.randn(60, 1)
for fold in range(5):
    net = nn.Linear(5, 1)
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(3):
        opt.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        opt.step()
