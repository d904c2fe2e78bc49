# expected: nothing
import torch

torch.manual_seed(0)
t = torch.linspace(0, 4, 60)
y = 2.5 * torch.exp(-1.3 * t) + 0.5
p = torch.ones(3, requires_grad=True)
opt = torch.optim.Adam([p], lr=0.3)
for _ in range(200):
    opt.zero_grad()
    loss = ((p[0] * torch.exp(-p[1] * t) + p[2] - y) ** 2).mean()
    loss.backward()
    opt.step()
