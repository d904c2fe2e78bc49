# expected: detached_loss
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(5, 16), nn.Linear(16, 2)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


net = Net()
net.head = nn.Linear(16, 3)
#! for p in net.body.parameters():
for p in net.parameters():  # wrong
    p.requires_grad = False
x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()  # here
    #! loss.backward()
    opt.step()
