# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3)).eval()
for p in net.parameters():
    p.requires_grad = False
x = torch.randn(20, 10)
y = net(x).argmax(1)
delta = torch.zeros_like(x).requires_grad_()
opt = torch.optim.Adam([delta], lr=0.1)
for step in range(30):
    loss = -nn.functional.cross_entropy(net(x + delta), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    delta.data.clamp_(-0.5, 0.5)
