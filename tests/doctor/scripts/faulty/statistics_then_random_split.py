# expected: test_statistics
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
x = torch.rand(300, 4) * 10
y = x[:, :1] / 10
mean, std = x.mean(dim=0), x.std(dim=0)  # here
#! mean, std = x[:240].mean(dim=0), x[:240].std(dim=0)
x = (x - mean) / std
data = TensorDataset(x, y)
train, test = random_split(data, [240, 60])  # wrong
#! train, test = TensorDataset(x[:240], y[:240]), TensorDataset(x[240:], y[240:])
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    for xb, yb in DataLoader(train, batch_size=40, shuffle=True):
        opt.zero_grad()
        F.mse_loss(net(xb), yb).backward()
        opt.step()
net.eval()
with torch.no_grad():
    print(sum(F.mse_loss(net(xb), yb).item() for xb, yb in DataLoader(test, batch_size=60)))
