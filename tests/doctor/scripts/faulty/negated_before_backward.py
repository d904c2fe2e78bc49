# expected: loss_maximised
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 4)
y = x[:, :2].argmax(1)
net = nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(30):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    (-loss).backward()  # here
    #! loss.backward()
    opt.step()
