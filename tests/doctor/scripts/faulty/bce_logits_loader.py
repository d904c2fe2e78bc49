# expected: logits_not_probabilities
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(90, 4)
y = (x[:, 0] > 0).float()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
#! net.append(nn.Sigmoid())
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=30):
        opt.zero_grad()
        loss = F.binary_cross_entropy(net(xb).squeeze(1), yb)  # here
        #! loss = F.binary_cross_entropy(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
