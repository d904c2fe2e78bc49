# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
real = torch.randn(400, 2) * 0.5 + 2
G = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 2))
C = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.0, 0.9))
opt_c = torch.optim.Adam(C.parameters(), lr=1e-3, betas=(0.0, 0.9))
for step in range(25):
    for _ in range(3):
        xb = real[torch.randint(400, (32,))]
        fake = G(torch.randn(32, 4)).detach()
        mix = torch.rand(32, 1)
        between = (mix * xb + (1 - mix) * fake).requires_grad_()
        slope = torch.autograd.grad(C(between).sum(), between, create_graph=True)[0]
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss_c = C(fake).mean() - C(xb).mean() + 10 * penalty
        opt_c.zero_grad()
        loss_c.backward()
        opt_c.step()
    loss_g = -C(G(torch.randn(32, 4))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
