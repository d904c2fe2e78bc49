# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 6)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(8):
    for rows in torch.randperm(120).split(40):
        xb, yb = x[rows], y[rows]
        noise = torch.zeros_like(xb, requires_grad=True)
        for _ in range(3):
            F.cross_entropy(net(xb + noise), yb).backward()
            noise.data = (noise + 0.05 * noise.grad.sign()).clamp(-0.1, 0.1).detach()
            noise.grad.zero_()
        opt.zero_grad()
        F.cross_entropy(net(xb + noise.detach()), yb).backward()
        opt.step()
