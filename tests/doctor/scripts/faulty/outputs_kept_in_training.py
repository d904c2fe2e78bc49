# expected: graphs_kept
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Log:
    def __init__(self):
        self.outputs = []

    def add(self, value):
        self.outputs.append(value)  # here
        #! self.outputs.append(value.detach())


x = torch.randn(200, 4)
y = x[:, :1] * 2
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
log = Log()
for epoch in range(12):
    for rows in torch.randperm(200).split(40):
        opt.zero_grad()
        out = net(x[rows])
        F.mse_loss(out, y[rows]).backward()
        opt.step()
        log.add(out)
