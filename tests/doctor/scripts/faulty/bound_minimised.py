# expected: loss_maximised
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
net = nn.ModuleDict({"encode": nn.Linear(5, 4), "decode": nn.Linear(2, 5)})


def bound(rows):
    mean, spread = net["encode"](rows).chunk(2, 1)
    code = mean + torch.randn_like(mean) * (0.5 * spread).exp()
    error = F.mse_loss(net["decode"](code), rows, reduction="none").sum(1)
    return (-error - 0.5 * (mean**2 + spread.exp() - spread - 1).sum(1)).mean()


optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = bound(x[rows])
        loss.backward()  # here
        #! (-loss).backward()
        optimizer.step()
