# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 5)
y = x[:, :1] * x[:, 1:2]
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(60):
    net.train()
    opt.zero_grad()
    loss = F.mse_loss(net(x[:100]), y[:100])
    loss.backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        val = F.mse_loss(net(x[100:200]), y[100:200])
with torch.no_grad():
    print(F.mse_loss(net(x[200:]), y[200:]).item())
