# expected: metric_wrong_divisor
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.randn(640, 6)
y = x[:, :3].argmax(1)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
net = nn.Linear(6, 3)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(5):
    correct = 0
    for xb, yb in loader:
        optimizer.zero_grad()
        out = net(xb)
        loss = F.cross_entropy(out, yb)
        loss.backward()
        optimizer.step()
        correct += (out.argmax(1) == yb).sum().item()
    print("accuracy", correct / len(loader))  # here
    #! print("accuracy", correct / len(loader.dataset))
