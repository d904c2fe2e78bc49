# expected: step_outside_loop
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def run_epoch(net, opt, x, y):
    total = 0.0
    for i in range(0, len(x), 30):
        net.zero_grad()
        loss = F.mse_loss(net(x[i : i + 30]), y[i : i + 30])
        loss.backward()
        #! opt.step()
        total += loss.item()
    opt.step()  # here
    return total


x = torch.randn(240, 5)
y = x[:, :1] - x[:, 1:2]
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(10):
    print(run_epoch(net, opt, x, y))
