# expected: mean_divided_again
import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(512, 10)
y = (x[:, 0] * 2 + x[:, 1] > 0).long() + (x[:, 2] > 1).long()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(8):
    for xb, yb in loader:
        out = net(xb)
        loss = criterion(out, yb) / len(xb)  # here
        #! loss = criterion(out, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
