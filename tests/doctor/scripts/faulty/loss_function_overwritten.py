# expected: tensor_called
import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(100, 3)
y = x.sum(1, keepdim=True)
net = nn.Linear(3, 1)
loss = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = loss(net(x), y)  # here
    loss.backward()  # wrong
    #! value = loss(net(x), y)
    #! value.backward()
    optimizer.step()
