# expected: loss_maximised
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))
opt = torch.optim.Adam(net.parameters(), lr=0.003)
for _ in range(30):
    opt.zero_grad()
    p = net(x)[torch.arange(120), y]
    loss = torch.log(p + 1e-8).mean()  # here
    #! loss = -torch.log(p + 1e-8).mean()
    loss.backward()
    opt.step()
