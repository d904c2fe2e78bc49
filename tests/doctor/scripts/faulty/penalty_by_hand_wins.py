# expected: weight_decay_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 6)
y = x[:, :1] * 2 + x[:, 1:2]
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for _ in range(150):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss = loss + 10.0 * sum((p**2).sum() for p in net.parameters())  # here
    #! loss = loss + 1e-5 * sum((p ** 2).sum() for p in net.parameters())
    loss.backward()
    opt.step()
