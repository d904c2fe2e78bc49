# expected: rate_too_small
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.AdamW(net.parameters(), lr=1e-9)  # here
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
