# expected: constant_weights
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 16), nn.Linear(16, 1)
        for p in self.parameters():
            nn.init.constant_(p, 0.1)  # here
            #! pass

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


x = torch.randn(100, 4)
y = x[:, :1] * x[:, 1:2]
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
