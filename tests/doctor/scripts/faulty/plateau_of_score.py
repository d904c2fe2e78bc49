# expected: scheduler_wrong_mode
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        hits = ((net(x) > 0) == (y > 0.5)).sum().item()
    net.train()
    return 100.0 * hits / len(x)


x = torch.randn(300, 4)
y = (x[:, :1] > 0).float()
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="min", factor=0.1, patience=3)  # here
#! scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=0.1, patience=3)
for epoch in range(30):
    for rows in torch.randperm(240).split(60):
        opt.zero_grad()
        F.binary_cross_entropy_with_logits(net(x[rows]), y[rows]).backward()
        opt.step()
    quality = evaluate(net, x[240:], y[240:])
    scheduler.step(quality)
