# expected: labels_all_alike
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.rand(400, 5)
probability = torch.sigmoid(4 * (x[:, 0] - 0.5))
y = (probability > 1).long()  # wrong
#! y = (probability > 0.5).long()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(xb), yb)  # here
        #! loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
