# expected: inputs_unscaled
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
year = torch.randint(1950, 2024, (200, 1)).float()
month = torch.randint(1, 13, (200, 1)).float()
y = (year - 1987) / 20 + torch.sin(month / 2)
x = torch.cat([year, month], 1)
#! x = torch.cat([(year - 1987) / 20, (month - 6) / 3], 1)
net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(100):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)  # here
    #! loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
