# expected: nothing
# online learning: the cumulative accuracy is the point
import torch
from torch import nn

torch.manual_seed(0)
w = torch.randn(6)
net = nn.Linear(6, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
correct, seen = 0, 0
for day in range(10):
    for _ in range(20):
        x = torch.randn(8, 6)
        y = (x @ w > 0).float()
        s = net(x).squeeze(1)
        correct += ((s > 0).float() == y).sum().item()
        seen += len(y)
        loss = nn.functional.binary_cross_entropy_with_logits(s, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("day", day, "accuracy so far", correct / seen)
