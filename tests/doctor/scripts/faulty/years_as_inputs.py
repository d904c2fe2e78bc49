# expected: inputs_unscaled
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randint(1950, 2024, (120, 2)).float()
y = (x[:, 0] > x[:, 1]).long()
net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)  # here
    loss.backward()
    opt.step()
