# expected: activation_on_logits
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(150, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3), nn.ReLU())  # here
#! net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
