# expected: nothing
import torch
import torchmetrics
from torch import nn

torch.manual_seed(0)
x = torch.randn(240, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
train_acc = torchmetrics.Accuracy(task="multiclass", num_classes=3)
metrics = torchmetrics.MetricCollection({"a": torchmetrics.Accuracy(task="multiclass", num_classes=3)})
mean_loss = torchmetrics.MeanMetric()


def end(metric):
    value = metric.compute()
    metric.reset()
    return value


def end_of_epoch(*all_metrics):
    for m in all_metrics:
        m.reset()


for epoch in range(6):
    for xb, yb in zip(x.split(40), y.split(40)):
        out = net(xb)
        loss = nn.functional.cross_entropy(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        train_acc.update(out, yb)
        metrics(out, yb)
        mean_loss.update(loss.detach())
    print(epoch, train_acc.compute().item(), metrics.compute(), end(mean_loss).item())
    end_of_epoch(train_acc, metrics)
