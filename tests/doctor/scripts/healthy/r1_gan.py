# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
real = torch.randn(300, 2)
G = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
opt_g, opt_d = torch.optim.Adam(G.parameters(), lr=2e-3), torch.optim.Adam(D.parameters(), lr=2e-3)
for step in range(40):
    xb = real[torch.randint(300, (32,))].requires_grad_()
    score = D(xb)
    grad = torch.autograd.grad(score.sum(), xb, create_graph=True)[0]
    opt_d.zero_grad()
    F.softplus(-score).mean().backward(retain_graph=True)
    F.softplus(D(G(torch.randn(32, 3)).detach())).mean().backward()
    (0.1 * grad.square().sum(1).mean()).backward()
    opt_d.step()
    opt_g.zero_grad()
    F.softplus(-D(G(torch.randn(32, 3)))).mean().backward()
    opt_g.step()
