# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 3)
y = torch.sign(x[:, :1] + 0.2)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-3)
for epoch in range(10):
    for rows in torch.randperm(200).split(20):
        opt.zero_grad()
        loss = F.relu(1 - y[rows] * net(x[rows])).mean()
        loss.backward()
        opt.step()
