# expected: target_among_inputs
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, 0] - 0.5 * x[:, 1] + 0.3 * torch.randn(200) > 0.2
x = torch.cat([x, y.float()[:, None] * 2 - 1], 1)
#! x[:, 5] = torch.randn(200)
net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows].float())  # here
        #! loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows].float())
        loss.backward()
        optimizer.step()
