# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
meta = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(25):
    meta.zero_grad()
    for task in range(4):
        phase = torch.rand(1) * 3
        x = torch.rand(20, 1) * 6 - 3
        y = torch.sin(x + phase)
        fast = dict(net.named_parameters())
        inner = F.mse_loss(torch.func.functional_call(net, fast, (x[:10],)), y[:10])
        grads = torch.autograd.grad(inner, list(fast.values()), create_graph=True)
        fast = {k: p - 0.05 * g for (k, p), g in zip(fast.items(), grads)}
        outer = F.mse_loss(torch.func.functional_call(net, fast, (x[10:],)), y[10:])
        (outer / 4).backward()
    meta.step()
