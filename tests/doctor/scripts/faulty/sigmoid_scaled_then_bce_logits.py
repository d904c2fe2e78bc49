# expected: activation_twice
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, 0] > 0).float()
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    p = net(x).squeeze(1).sigmoid() * 0.998 + 0.001  # here
    #! p = net(x).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(p, y)
    loss.backward()
    opt.step()
