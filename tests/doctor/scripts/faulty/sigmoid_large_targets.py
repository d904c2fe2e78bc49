# expected: output_out_of_reach
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(200, 4)
y = 3 + 2 * x[:, :1]
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())  # here
#! net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for _ in range(60):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
