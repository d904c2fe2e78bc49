# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(150, 6, 5)
y = (x[..., :3].argmax(-1)).masked_fill(torch.rand(150, 6) < 0.3, -100)
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    F.cross_entropy(net(x).transpose(1, 2), y).backward()
    opt.step()
