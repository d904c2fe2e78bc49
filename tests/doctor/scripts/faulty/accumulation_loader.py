# expected: accumulation_not_divided
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(320, 6)
y = (x @ torch.randn(6, 1)).sin()
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
every = 4
for epoch in range(6):
    opt.zero_grad()
    for i, (xb, yb) in enumerate(loader):
        loss = F.mse_loss(net(xb), yb)
        loss.backward()  # here
        #! (loss / every).backward()
        if (i + 1) % every == 0:
            opt.step()
            opt.zero_grad()
    print(epoch, loss.item())
