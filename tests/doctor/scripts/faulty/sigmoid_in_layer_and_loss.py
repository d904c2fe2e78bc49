# expected: activation_twice
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 5)
y = (x[:, 0] > 0).float()
net = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())  # here
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    chance = torch.sigmoid(net(x)).squeeze(1)
    loss = nn.functional.binary_cross_entropy(chance, y)
    loss.backward()
    opt.step()
