# expected: metric_wrong_divisor
import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(640, 6)
y = x @ torch.randn(6, 1)
data = torch.utils.data.TensorDataset(x, y)
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
net = nn.Linear(6, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item()  # wrong
        #! running += loss.item() * len(xb)
    print("loss", running / len(data))  # here
    #! print("loss", running / len(data))
