# expected: rows_shuffled_apart
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
y = x[:, :1] * 2 + 1
np.random.shuffle(x)  # here
#! order = np.random.permutation(200); x, y = x[order], y[order]
xt, yt = torch.from_numpy(x), torch.from_numpy(y.copy())
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(60):
    opt.zero_grad()
    loss = F.mse_loss(net(xt), yt)
    loss.backward()
    opt.step()
