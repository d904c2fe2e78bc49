# expected: model_remade
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.randn(512, 8)
y = torch.sin(x.sum(1, keepdim=True))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
#! net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
#! optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))  # here
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)  # wrong
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.mse_loss(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
