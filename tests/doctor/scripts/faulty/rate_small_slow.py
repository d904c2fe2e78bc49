# expected: rate_too_small
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(200, 3)
y = x @ torch.tensor([[2.0], [-3.0], [1.0]]) + 4
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=1e-5)  # here
#! opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(400):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
