# expected: rate_cut_to_nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.randn(512, 8)
y = torch.sin(x.sum(1, keepdim=True))
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(6):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.mse_loss(net(xb), yb)
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:  # wrong
            group["lr"] = group["lr"] * 0.8  # here
    #! for group in optimizer.param_groups:
    #!     group["lr"] = group["lr"] * 0.8
    print(epoch, loss.item())
