# expected: zeroed_within_accumulation
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(160, 4)
y = x[:, :1] * 2
net = nn.Linear(4, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    for turn, rows in enumerate(torch.randperm(160).split(10), 1):
        opt.zero_grad()  # here
        loss = F.mse_loss(net(x[rows]), y[rows]) / 4
        loss.backward()
        if turn % 4 == 0:
            opt.step()
            #! opt.zero_grad()
