# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)


class Uncertain(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 16), nn.Linear(16, 1)

    def forward(self, x):
        return self.second(nn.functional.dropout(nn.functional.relu(self.first(x)), 0.1, training=True))


x = torch.randn(60, 4)
y = x[:, :1].sin()
net = Uncertain()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(20):
    opt.zero_grad()
    nn.functional.mse_loss(net(x), y).backward()
    opt.step()
net.eval()
with torch.no_grad():
    draws = torch.stack([net(x) for _ in range(5)])
print(nn.functional.mse_loss(draws.mean(0), y).item(), draws.std(0).mean().item())
