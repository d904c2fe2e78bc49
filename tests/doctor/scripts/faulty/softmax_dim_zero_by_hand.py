# expected: softmax_over_batch
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3), nn.Softmax(dim=0))  # here
#! net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3), nn.Softmax(dim=1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    p = net(x)
    loss = -torch.log(p[range(90), y] + 1e-9).mean()
    loss.backward()
    opt.step()
