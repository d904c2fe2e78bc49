# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 4)
y = (x[:, 0] > 0).long()
net = nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
correct = 0
for i in range(400):
    scores = net(x[i : i + 1])
    correct += int(scores.argmax(1) == y[i])
    opt.zero_grad()
    F.cross_entropy(scores, y[i : i + 1]).backward()
    opt.step()
    if i % 100 == 99:
        print("so far", correct / (i + 1))
