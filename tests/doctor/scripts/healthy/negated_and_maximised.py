# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 4)
y = x[:, :3].argmax(1)
net = nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.5, maximize=True)
for step in range(50):
    gain = -nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    gain.backward()
    opt.step()
