# expected: rate_too_large
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = (x[:, 0] - x[:, 1] > 0).float()
model = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=2.0)  # here
#! opt = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(20):
    for rows in torch.randperm(200).split(40):
        opt.zero_grad()
        loss = criterion(model(x[rows]).squeeze(-1), y[rows])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
