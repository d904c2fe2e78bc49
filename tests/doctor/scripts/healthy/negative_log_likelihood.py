# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)
x = torch.randn(200, 3)
y = x[:, :1] * 0.5 + 0.01 * torch.randn(200, 1)
net = nn.Sequential(nn.Linear(3, 24), nn.Tanh(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(150):
    mean, scale = net(x).chunk(2, 1)
    loss = -Normal(mean, F.softplus(scale) + 1e-3).log_prob(y).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
