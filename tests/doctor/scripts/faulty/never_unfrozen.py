# expected: frozen_forgotten
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 6)
y = torch.sin(x[:, :1] * x[:, 1:2])
net = nn.ModuleDict({"trunk": nn.Sequential(nn.Linear(6, 24), nn.Tanh()), "head": nn.Linear(24, 1)})


def train(epochs, lr):
    opt = torch.optim.Adam(net.parameters(), lr=lr)  # here
    #! opt = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        opt.zero_grad()
        loss = F.mse_loss(net["head"](net["trunk"](x)), y)
        loss.backward()
        opt.step()
    return loss.item()


net["trunk"].requires_grad_(False)
print("head", train(30, 0.01))
#! net["trunk"].requires_grad_(True)
print("all", train(60, 0.003))
