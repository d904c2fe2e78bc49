# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
data = torch.rand(300, 4) * 50
target = data[:, 0] * 0.1 + data[:, 1] * 0.02
perm = torch.randperm(300)
train_idx, test_idx = perm[:240], perm[240:]
mean, std = data[train_idx].mean(0), data[train_idx].std(0)
data = (data - mean) / std
target = (target - target.mean()) / target.std()
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(15):
    for b in train_idx[torch.randperm(240)].split(40):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(data[b]).squeeze(1), target[b])
        loss.backward()
        opt.step()
with torch.no_grad():
    p = net(data[test_idx]).squeeze(1)
    print(1 - ((p - target[test_idx]) ** 2).mean() / target[test_idx].var())
