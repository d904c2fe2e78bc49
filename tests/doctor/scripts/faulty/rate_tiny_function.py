# expected: rate_too_small
import torch
from torch import nn

torch.manual_seed(0)


def train(net, x, y):
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-8)  # here
    for _ in range(50):
        opt.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        opt.step()


x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
train(net, x, y)
