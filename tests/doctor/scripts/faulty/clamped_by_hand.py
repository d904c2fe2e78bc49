# expected: clipped_to_nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 3)
y = x[:, :1] * 3
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(30):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    for p in net.parameters():
        p.grad.clamp_(-1e-5, 1e-5)  # here
        #! p.grad.clamp_(-5, 5)
    opt.step()
