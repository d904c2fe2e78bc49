# expected: loss_maximised
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.01, maximize=True)  # here
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
