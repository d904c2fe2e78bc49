# expected: seed_in_loop
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 5)
y = x[:, :2].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
#! g = torch.Generator().manual_seed(0)
for step in range(60):
    g = torch.Generator().manual_seed(0)  # here
    rows = torch.randint(0, 300, (30,), generator=g)
    opt.zero_grad()
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    opt.step()
