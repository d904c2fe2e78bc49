# expected: activation_twice
import torch
from torch import nn

torch.manual_seed(0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 3))

    def forward(self, x):
        chance = nn.functional.softmax(self.body(x), dim=-1)  # here
        return chance.clamp(1e-6, 1.0).reshape(-1, 3)


x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
net = Reader()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
