# expected: loss_maximised
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 4)
y = x[:, :1]
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    loss = -1 * F.mse_loss(net(x), y)  # here
    #! loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
