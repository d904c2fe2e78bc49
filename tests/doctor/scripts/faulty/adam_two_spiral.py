# expected: rate_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
t = torch.rand(300) * 6
x = torch.stack([t * t.cos(), t * t.sin()], 1)
y = (t > 3).long()
net = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=2.0)  # here
#! optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(150):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
print(loss.item())
