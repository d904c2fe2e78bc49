# expected: threshold_on_logits
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 4)
y = (x[:, 0] > 0.4).float()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(30):
    opt.zero_grad()
    F.binary_cross_entropy_with_logits(net(x).squeeze(1), y).backward()
    opt.step()
scores = net(x).squeeze(1).detach().numpy()  # here
#! scores = net(x).squeeze(1).sigmoid().detach().numpy()
print(((scores > 0.5) == y.numpy()).mean())
