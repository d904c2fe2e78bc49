# expected: metric_never_reset
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(240, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
correct, total = 0, 0
for epoch in range(10):
    #! correct, total = 0, 0
    for rows in torch.randperm(240).split(40):
        opt.zero_grad()
        scores = net(x[rows])
        F.cross_entropy(scores, y[rows]).backward()
        opt.step()
        correct += (scores.argmax(1) == y[rows]).sum().item()  # here
        #! correct += (scores.argmax(1) == y[rows]).sum().item()
        total += len(rows)
    print(epoch, correct / total)
