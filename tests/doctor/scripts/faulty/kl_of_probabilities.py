# expected: kl_div_without_log
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
wanted = torch.softmax(x[:, :3], 1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))
#! net[3] = nn.LogSoftmax(dim=1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.kl_div(net(x[rows]), wanted[rows], reduction="batchmean")  # here
        #! loss = F.kl_div(net(x[rows]), wanted[rows], reduction="batchmean")
        loss.backward()
        optimizer.step()
