# expected: wrong_parameters
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = [nn.Linear(4, 4) for _ in range(2)]
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.head(x)


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)  # here
x = torch.randn(30, 4)
for _ in range(10):
    optimizer.zero_grad()
    loss = (net(x) - x[:, :1]).square().mean()
    loss.backward()
    optimizer.step()
