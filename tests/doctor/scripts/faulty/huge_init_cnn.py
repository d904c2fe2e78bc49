# expected: weights_start_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def init(m):
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.normal_(m.weight, std=10.0)  # here
        #! nn.init.kaiming_normal_(m.weight)


images = torch.rand(60, 1, 8, 8)
label = (images.mean((1, 2, 3)) > 0.5).long()
net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))
net.apply(init)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    F.cross_entropy(net(images), label).backward()
    opt.step()
