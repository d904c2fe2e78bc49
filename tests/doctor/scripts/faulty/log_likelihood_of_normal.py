# expected: loss_maximised
import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)
x = torch.randn(150, 3)
y = x[:, :1] * 2
net = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    loss = Normal(net(x), 1.0).log_prob(y).mean()  # here
    #! loss = -Normal(net(x), 1.0).log_prob(y).mean()
    loss.backward()
    opt.step()
