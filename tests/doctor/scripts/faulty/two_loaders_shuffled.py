# expected: rows_shuffled_apart
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(0)
x = torch.randn(200, 4)
y = (x[:, 0] > 0).long()
inputs = DataLoader(x, batch_size=20, shuffle=True)
labels = DataLoader(y, batch_size=20, shuffle=True)
#! both = DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    #! for xb, yb in both:
    for xb, yb in zip(inputs, labels):  # here
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
