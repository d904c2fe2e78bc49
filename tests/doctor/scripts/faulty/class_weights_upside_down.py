# expected: class_weights_upside_down
import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(900, 6)
y = (x[:, 0] > 1.3).long() + (x[:, 1] > 1.5).long()
counts = torch.bincount(y).float()
weights = counts / counts.sum()  # wrong
#! weights = counts.sum() / (3 * counts)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
criterion = nn.CrossEntropyLoss(weight=weights)  # here
#! criterion = nn.CrossEntropyLoss(weight=weights)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(60):
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
print(loss.item())
