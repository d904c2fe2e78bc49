# expected: target_among_inputs
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)
features = rng.normal(size=(200, 3))
label = (features[:, 0] + rng.normal(size=200) > 0).astype(int)
x = np.column_stack([features, label])  # wrong
#! x = np.column_stack([features, features[:, 0] ** 2])
x = torch.tensor(x, dtype=torch.float32)
data = TensorDataset(x, torch.tensor(label))
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    for xb, yb in DataLoader(data, batch_size=25, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)  # here
        #! loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
