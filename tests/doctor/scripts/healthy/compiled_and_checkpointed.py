# expected: nothing
import torch
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
first, second = torch.nn.Linear(3, 8), torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.05)


@torch.compile
def loss_of(x, y):
    hidden = checkpoint(lambda z: torch.tanh(first(z)), x, use_reentrant=False)
    return (second(hidden) - y).square().mean()


x = torch.randn(40, 3)
for _ in range(15):
    optimizer.zero_grad()
    loss_of(x, x[:, :1]).backward()
    optimizer.step()
