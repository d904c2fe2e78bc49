# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 4)
y = x[:, :2].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    net.train()
    right, total = 0, 0.0
    for k in torch.randperm(60).split(20):
        opt.zero_grad()
        scores = net(x[k])
        loss = nn.functional.cross_entropy(scores, y[k])
        total += loss.item()
        right += (scores.argmax(1) == y[k]).sum().item()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        held = (net(x[60:]).argmax(1) == y[60:]).float().mean().item()
    print(right / 60, total / 3, held)
