# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -0.1 * g


source, target = torch.randn(120, 4), torch.randn(120, 4) + 0.5
y = (source[:, 0] > 0).long()
body, label, domain = nn.Linear(4, 16), nn.Linear(16, 2), nn.Linear(16, 2)
opt = torch.optim.Adam([*body.parameters(), *label.parameters(), *domain.parameters()], lr=0.01)
which = torch.cat([torch.zeros(120), torch.ones(120)]).long()
for _ in range(40):
    h = torch.relu(body(torch.cat([source, target])))
    loss = F.cross_entropy(label(h[:120]), y) + F.cross_entropy(domain(Reverse.apply(h)), which)
    opt.zero_grad()
    loss.backward()
    opt.step()
