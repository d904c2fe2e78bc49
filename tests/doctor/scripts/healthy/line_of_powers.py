# expected: nothing
import torch
from torch import nn

# A straight line, learned with powers beside it: a column in the unit of the target, and no leak. Rows in their order.
torch.manual_seed(0)
t = torch.linspace(-1, 1, 160)
x = torch.stack([t, t**2, t**3], 1)
y = (3 * t + 1)[:, None]
net = nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for _ in range(5):
    for rows in torch.arange(160).split(16):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
