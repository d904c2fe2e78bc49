# expected: loss_maximised
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(40, 1, 8, 8)
mask = (x > 0.5).float()
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.003)
for _ in range(30):
    opt.zero_grad()
    p = net(x).sigmoid()
    overlap = (p * mask).sum((1, 2, 3))
    dice = (2 * overlap + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)  # here
    #! dice = (2 * overlap + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    loss = dice.mean()  # wrong
    #! loss = 1 - dice.mean()
    loss.backward()
    opt.step()
