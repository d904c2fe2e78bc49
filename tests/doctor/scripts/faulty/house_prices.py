# expected: targets_unscaled
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
area = torch.rand(200, 3)
price = 250_000 + 50_000 * area[:, :1]
#! price = (price - price.mean()) / price.std()
net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(10):
    for xb, yb in DataLoader(TensorDataset(area, price), batch_size=20, shuffle=True):
        opt.zero_grad()
        loss = F.mse_loss(net(xb), yb)  # here
        #! loss = F.mse_loss(net(xb), yb)
        loss.backward()
        opt.step()
