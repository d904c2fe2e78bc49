# expected: view_for_permute
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
images = torch.rand(48, 10, 12, 3)
label = (images[..., 0].mean((1, 2)) > 0.5).long()
images = images.view(-1, 3, 10, 12)  # here
#! images = images.permute(0, 3, 1, 2)
net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(15):
    opt.zero_grad()
    loss = F.cross_entropy(net(images), label)
    loss.backward()
    opt.step()
