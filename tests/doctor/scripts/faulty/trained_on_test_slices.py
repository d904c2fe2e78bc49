# expected: trained_on_held_out_rows
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :1].sin()
x_train, y_train, x_test, y_test = x[:80], y[:80], x[80:], y[80:]
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    for rows in torch.randperm(80).split(20):
        opt.zero_grad()
        F.mse_loss(net(x_train[rows]), y_train[rows]).backward()
        opt.step()
    opt.zero_grad()  # wrong
    loss = F.mse_loss(net(x_test), y_test)
    loss.backward()  # here
    opt.step()  # wrong
    print(loss.item())
