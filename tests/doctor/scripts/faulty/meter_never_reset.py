# expected: metric_never_reset
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Meter:
    def __init__(self):
        self.reset()

    def reset(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n):
        self.sum += value * n
        self.count += n

    @property
    def average(self):
        return self.sum / self.count


x = torch.randn(160, 4)
y = x[:, :1] ** 2
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
meter = Meter()
for epoch in range(6):
    #! meter.reset()
    for rows in torch.randperm(160).split(40):
        opt.zero_grad()
        loss = F.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
        meter.update(loss.item(), len(rows))  # here
        #! meter.update(loss.item(), len(rows))
    print(epoch, meter.average)
