# expected: inputs_unscaled
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
images = torch.randint(0, 256, (60, 1, 10, 10)).float()
label = (images[:, :, :5].mean((1, 2, 3)) > images[:, :, 5:].mean((1, 2, 3))).long()
#! images = images / 255 - 0.5
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(512, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)  # wrong
#! opt = torch.optim.SGD(net.parameters(), lr=0.02)
for _ in range(40):
    opt.zero_grad()
    loss = F.cross_entropy(net(images), label)  # here
    #! loss = F.cross_entropy(net(images), label)
    loss.backward()
    opt.step()
