# expected: same_batch
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
table = np.random.default_rng(0).normal(size=(300, 5)).astype("float32")
answer = table[:, :1] ** 2
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(60):
    rows = np.arange(20)
    #! rows = np.random.default_rng(step).integers(0, 300, 20)
    xb, yb = torch.from_numpy(table[rows]), torch.from_numpy(answer[rows])  # here
    #! xb, yb = torch.from_numpy(table[rows]), torch.from_numpy(answer[rows])
    opt.zero_grad()
    loss = F.mse_loss(net(xb), yb)
    loss.backward()
    opt.step()
