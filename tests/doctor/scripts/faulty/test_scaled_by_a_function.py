# expected: test_statistics
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :1] * 2 + 0.1 * torch.randn(200, 1)


def scaled(rows, mean=None, std=None):
    mean = rows.mean(0) if mean is None else mean
    std = rows.std(0) if std is None else std
    return (rows - mean) / std


x_test = x[150:]
x_test = scaled(x_test)  # here
#! x_test = scaled(x_test, x[:150].mean(0), x[:150].std(0))
x, y, y_test = scaled(x[:150]), y[:150], y[150:]
net = nn.Linear(5, 1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(150).split(25):
        optimizer.zero_grad()
        loss = F.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()

print(F.mse_loss(net(x_test), y_test).item())
