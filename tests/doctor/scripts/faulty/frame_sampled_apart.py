# expected: rows_shuffled_apart
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = pd.DataFrame(torch.randn(120, 4).numpy())
y = x[0] * 2
x = x.sample(frac=1, random_state=1)  # here
#! x = x.sample(frac=1, random_state=2)
y = y.sample(frac=1, random_state=2)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
xt, yt = torch.tensor(x.values), torch.tensor(y.values)[:, None]
for epoch in range(40):
    opt.zero_grad()
    loss = F.mse_loss(net(xt), yt)
    loss.backward()
    opt.step()
