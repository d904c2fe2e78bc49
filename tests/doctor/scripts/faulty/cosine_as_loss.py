# expected: loss_maximised
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 3)
y = torch.stack([x[:, 0], -x[:, 1]], 1)
net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.003)
for _ in range(20):
    loss = F.cosine_similarity(net(x), y).mean()  # here
    #! loss = 1 - F.cosine_similarity(net(x), y).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
