# expected: rows_shuffled_apart
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

rng = np.random.default_rng(0)
inputs = rng.normal(size=(120, 4)).astype("float32")
answers = inputs[:, :1] * 2
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(12):
    a = rng.permutation(inputs)  # here
    #! a, b = inputs, answers
    b = rng.permutation(answers)  # wrong
    for k in range(0, 120, 30):
        opt.zero_grad()
        loss = F.mse_loss(net(torch.tensor(a[k : k + 30])), torch.tensor(b[k : k + 30]))
        loss.backward()
        opt.step()
