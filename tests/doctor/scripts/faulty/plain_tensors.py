# expected: wrong_parameters
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :3].argmax(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.heads = [torch.randn(8, 3, requires_grad=True)]  # wrong
        #! self.heads = nn.ParameterList([torch.randn(8, 3)])

    def forward(self, x):
        return torch.tanh(self.body(x)) @ self.heads[0]


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)  # here
#! optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
