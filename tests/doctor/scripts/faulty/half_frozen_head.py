# expected: frozen_forgotten
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
for name, parameter in net.named_parameters():
    parameter.requires_grad = name == "2.bias"  # wrong
    #! parameter.requires_grad = name.startswith("2.")
optimizer = torch.optim.Adam(net[2:].parameters(), lr=0.01)  # here
#! optimizer = torch.optim.Adam(net[2:].parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
