# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 10)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 8))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(40):
    xb = x[torch.randint(256, (48,))]
    a = F.normalize(net(xb + 0.1 * torch.randn_like(xb)), dim=1)
    b = F.normalize(net(xb + 0.1 * torch.randn_like(xb)), dim=1)
    scores = a @ b.T / 0.07
    target = torch.arange(48)
    loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
    opt.zero_grad()
    loss.backward()
    opt.step()
