# expected: constant_weights
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 3)
y = x[:, :2].argmax(1)
net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
for p in net.parameters():
    p.data.zero_()  # here
    #! pass
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(30):
    opt.zero_grad()
    F.cross_entropy(net(x), y).backward()
    opt.step()
