# expected: same_batch
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(8):
    order = torch.randperm(len(x))
    for i in range(0, len(x), 20):
        inputs = x[order[:20]]  # here
        labels = y[order[:20]]  # wrong
        #! rows = order[i : i + 20]
        #! inputs, labels = x[rows], y[rows]
        opt.zero_grad()
        F.cross_entropy(net(inputs), labels).backward()
        opt.step()
