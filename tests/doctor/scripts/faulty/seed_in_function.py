# expected: seed_in_loop
import random

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def pick(n, k):
    random.seed(3)  # here
    return torch.tensor(random.sample(range(n), k))


x = torch.randn(300, 5)
y = x[:, :2].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.1), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(60):
    rows = pick(300, 40)
    opt.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
