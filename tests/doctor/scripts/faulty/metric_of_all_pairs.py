# expected: shape_broadcast
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = (x[:, 0] > 0).float()
net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(x[rows]), y[rows, None])
        loss.backward()
        optimizer.step()
with torch.no_grad():
    guess = torch.sigmoid(net(x)).round()
    print((guess != y).float().mean().item())  # here
    #! print((guess != y[:, None]).float().mean().item())
