# expected: metric_never_reset
import torch
import torch.nn.functional as F
import torchmetrics
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
metric = torchmetrics.Accuracy(task="multiclass", num_classes=2)
for epoch in range(6):
    #! metric.reset()
    for rows in torch.randperm(200).split(50):
        opt.zero_grad()
        scores = net(x[rows])
        F.cross_entropy(scores, y[rows]).backward()
        opt.step()
        metric.update(scores.detach(), y[rows])
    print(epoch, metric.compute().item())  # here
    #! print(epoch, metric.compute().item())
