# expected: clipped_to_nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    nn.utils.clip_grad_value_(net.parameters(), 1e-7)  # here
    opt.step()
