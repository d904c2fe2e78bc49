# expected: evaluated_in_training_mode
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 4)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)


def train():
    net.train()
    for k in torch.randperm(60).split(20):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[k]), y[k]).backward()
        opt.step()


@torch.no_grad()
def evaluate():
    total = 0.0
    for k in torch.arange(60, 90).split(10):
        predicted = net(x[k])  # here
        total += nn.functional.mse_loss(predicted, y[k]).item()
    return total / 3


for _ in range(4):
    train()
    print(evaluate())
