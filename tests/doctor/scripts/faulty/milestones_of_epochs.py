# expected: scheduler_too_fast
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3])  # wrong
#! schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [16, 24])
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        schedule.step()  # here
        #! schedule.step()
