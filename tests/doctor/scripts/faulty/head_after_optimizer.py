# expected: wrong_parameters
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.fc = nn.Linear(5, 16), nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.body(x)))


net = Net()
#! net.fc = nn.Linear(16, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.01)  # here
#! opt = torch.optim.Adam(net.parameters(), lr=0.01)
net.fc = nn.Linear(16, 3)  # wrong
#!
x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
for _ in range(30):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
