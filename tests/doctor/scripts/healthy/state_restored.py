# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
w = torch.randn(5)
net = nn.Linear(5, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.02)


def evaluate():
    state = torch.get_rng_state()
    torch.manual_seed(123)
    xv = torch.randn(100, 5)
    with torch.no_grad():
        v = nn.functional.mse_loss(net(xv).squeeze(1), xv @ w).item()
    torch.set_rng_state(state)
    return v


for step in range(120):
    x = torch.randn(32, 5)
    loss = nn.functional.mse_loss(net(x).squeeze(1), x @ w)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 10 == 0:
        print(step, evaluate())
