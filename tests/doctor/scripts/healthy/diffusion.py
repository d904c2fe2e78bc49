# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
data = torch.randn(300, 2) * 0.3 + torch.tensor([1.0, -1.0])
beta = torch.linspace(1e-4, 0.05, 40)
kept = torch.cumprod(1 - beta, 0)
net = nn.Sequential(nn.Linear(3, 48), nn.SiLU(), nn.Linear(48, 2))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for step in range(60):
    x0 = data[torch.randint(300, (64,))]
    t = torch.randint(40, (64,))
    noise = torch.randn_like(x0)
    a = kept[t][:, None]
    guess = net(torch.cat([a.sqrt() * x0 + (1 - a).sqrt() * noise, t[:, None] / 40], 1))
    loss = F.mse_loss(guess, noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
