# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randint(0, 256, (120, 4)).float()
y = (x[:, 0] > x[:, 1]).long()
net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(100):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
