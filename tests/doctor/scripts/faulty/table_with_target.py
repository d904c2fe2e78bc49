# expected: target_among_inputs
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
table = torch.randn(240, 5)
table[:, 4] = table[:, :2].sum(1) + 0.3 * torch.randn(240)
y = table[:, 4:]
#! x = table[:, :4]
x = table  # wrong
net = nn.Sequential(nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    for rows in torch.randperm(240).split(16):
        opt.zero_grad()
        loss = F.mse_loss(net(x[rows]), y[rows])  # here
        #! loss = F.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
