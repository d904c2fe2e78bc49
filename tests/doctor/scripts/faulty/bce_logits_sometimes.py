# expected: logits_not_probabilities
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 4)
y = (x[:, 0] > 0).float()[:, None]
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
#! net.append(nn.Sigmoid())
nn.init.constant_(net[2].bias, 0.5)
nn.init.normal_(net[2].weight, std=0.02)
opt = torch.optim.SGD(net.parameters(), lr=1.0)
criterion = nn.BCELoss()
for epoch in range(40):
    opt.zero_grad()
    loss = criterion(net(x), y)  # here
    #! loss = criterion(net(x), y)
    loss.backward()
    opt.step()
