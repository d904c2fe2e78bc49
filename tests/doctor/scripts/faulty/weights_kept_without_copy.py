# expected: weights_not_copied
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(90, 4)
y = x[:, :1].sin()
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
best, kept = float("inf"), None
for epoch in range(30):
    opt.zero_grad()
    F.mse_loss(net(x[:60]), y[:60]).backward()
    opt.step()
    with torch.no_grad():
        loss = F.mse_loss(net(x[60:]), y[60:]).item()
    if loss < best:
        best = loss
        kept = dict(net.state_dict())  # here
        #! kept = {name: value.clone() for name, value in net.state_dict().items()}
opt.step()
net.load_state_dict(kept)
