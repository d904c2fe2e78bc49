# expected: softmax_of_one_column
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 5)
y = (x[:, :1] > 0).float()
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softmax(dim=1))  # wrong
#! net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    F.binary_cross_entropy(net(x), y).backward()  # here
    #! F.binary_cross_entropy(net(x), y).backward()
    opt.step()
