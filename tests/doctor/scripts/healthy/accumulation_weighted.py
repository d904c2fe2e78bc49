# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(330, 5)
y = x[:, :2].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
for epoch in range(8):
    opt.zero_grad(set_to_none=True)
    for i, rows in enumerate(torch.randperm(330).split(30)):
        loss = F.cross_entropy(net(x[rows]), y[rows], reduction="sum") / 120
        loss.backward()
        if i % 4 == 3 or i == 10:
            opt.step()
            opt.zero_grad(set_to_none=True)
