# expected: gradients_vanish
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Deep(nn.Module):
    def __init__(self, depth=12):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(depth)])
        self.out = nn.Linear(8, 1)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sigmoid(layer(x))  # wrong
            #! x = x + torch.relu(layer(x)) / 12
        return self.out(x)


x = torch.randn(100, 8)
y = x[:, :1] * 2
net = Deep()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(60):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()  # here
    #! loss.backward()
    opt.step()
