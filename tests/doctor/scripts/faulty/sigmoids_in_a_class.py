# expected: gradients_vanish
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, 16) for a in [4, 16, 16, 16, 16, 16, 16]])
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return self.out(x)


net = Deep()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()  # here
    opt.step()
