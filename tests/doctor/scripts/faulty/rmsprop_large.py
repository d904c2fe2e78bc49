# expected: rate_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 8)
y = x[:, :1] * x[:, 1:2]
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.RMSprop(model.parameters(), lr=1.0)  # here
#! opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for epoch in range(100):
    opt.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    opt.step()
