# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :2].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
check = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
# a first sanity check: can the model learn one batch by heart?
xb, yb = next(iter(loader))
opt = torch.optim.Adam(check.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    F.cross_entropy(check(xb), yb).backward()
    opt.step()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        opt.step()
