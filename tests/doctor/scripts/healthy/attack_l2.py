# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3)).eval()
x = torch.randn(20, 10)
y = net(x).argmax(1)
delta = torch.zeros_like(x, requires_grad=True)
for step in range(30):
    loss = nn.functional.cross_entropy(net(x + delta), y)
    loss.backward()
    with torch.no_grad():
        delta += 0.3 * delta.grad / delta.grad.norm()
        delta.grad.zero_()
        net.zero_grad()
print((net(x + delta).argmax(1) != y).float().mean())
