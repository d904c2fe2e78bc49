# expected: graphs_kept
import torch
from torch import nn

torch.manual_seed(0)
x, y = torch.randn(60, 5), torch.randn(60, 1)
net = nn.Linear(5, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
total = 0.0
for _ in range(12):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
    total += loss  # here
print(total)
