# expected: rows_shuffled_apart
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 4)).astype("float32")
y = (x[:, 0] > 0).astype("int64")
x = x[rng.permutation(len(x))]  # here
y = y[rng.permutation(len(y))]
#! order = rng.permutation(len(x)); x, y = x[order], y[order]
x, y = torch.from_numpy(x), torch.from_numpy(y)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    for xb, yb in zip(x.split(50), y.split(50)):
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
