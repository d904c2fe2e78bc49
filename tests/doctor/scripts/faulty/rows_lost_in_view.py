# expected: row_counts_differ
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.out = nn.Linear(72, 3)  # wrong
        #! self.out = nn.Linear(144, 3)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.out(x.view(-1, 72))  # wrong
        #! return self.out(x.view(-1, 144))


x = torch.randn(30, 1, 8, 8)
y = torch.randint(0, 3, (30,))
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)  # here
    #! loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
