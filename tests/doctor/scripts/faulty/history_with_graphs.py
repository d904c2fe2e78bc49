# expected: graphs_kept
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 5)
y = x[:, :1]
net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
history = {"loss": [], "epoch": []}
for epoch in range(30):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
    history["loss"].append(loss)  # here
    #! history["loss"].append(loss.item())
    history["epoch"].append(epoch)
print(history["loss"][-1])
