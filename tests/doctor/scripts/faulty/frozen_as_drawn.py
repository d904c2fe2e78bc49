# expected: frozen_forgotten
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Encoder(nn.Module):
    def __init__(self, freeze):
        super().__init__()
        self.layer = nn.Linear(3, 16)
        for p in self.parameters():
            p.requires_grad = not freeze  # here
            #! p.requires_grad = not freeze


x = torch.randn(90, 3)
y = x[:, :1].sin()
net = nn.Sequential(Encoder(True).layer, nn.Tanh(), nn.Linear(16, 1))  # wrong
#! net = nn.Sequential(Encoder(False).layer, nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
