# expected: one_hot_integers
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(60, 4)
y = F.one_hot(x[:, :3].argmax(1), 3)  # wrong
#! y = x[:, :3].argmax(1)
net = nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
for xb, yb in DataLoader(TensorDataset(x, y), batch_size=20):
    opt.zero_grad()
    loss = criterion(net(xb), yb)  # here
    #! loss = criterion(net(xb), yb)
    loss.backward()
    opt.step()
