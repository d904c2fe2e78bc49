# expected: loss_without_bound
import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(200, 4)
y = x @ torch.randn(4, 1) + 1
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for step in range(60):
    optimizer.zero_grad()
    loss = (net(x) - y).mean()  # here
    #! loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
print(loss.item())
