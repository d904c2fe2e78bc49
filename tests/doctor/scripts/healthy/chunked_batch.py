# expected: nothing
# a batch too large for memory is taken in chunks, each loss a sum divided by the rows of the whole batch
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 5)
y = x.sum(1, keepdim=True)
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    for rows in torch.randperm(256).split(64):
        opt.zero_grad()
        for part in rows.split(16):
            loss = nn.functional.mse_loss(net(x[part]), y[part], reduction="sum") / len(rows)
            loss.backward()
        opt.step()
for epoch in range(10):
    for rows in torch.randperm(256).split(64):
        opt.zero_grad()
        for part in rows.split(16):
            loss = nn.functional.mse_loss(net(x[part]), y[part]) * (len(part) / len(rows))
            loss.backward()
        opt.step()
