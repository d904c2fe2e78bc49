# expected: weights_start_too_large
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 64), nn.Sigmoid(), nn.Linear(64, 64), nn.Sigmoid(), nn.Linear(64, 3))


def start(layer):
    if isinstance(layer, nn.Linear):
        nn.init.uniform_(layer.weight, -30.0, 30.0)  # here


net.apply(start)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
