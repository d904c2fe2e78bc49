# expected: max_for_argmax
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.randn(400, 6)
y = x[:, :3].argmax(1)
net = nn.Linear(6, 3)
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for epoch in range(20):
    net.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:300]), y[:300])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        out = net(x[300:])
        predicted = torch.max(out, 1)[0]  # here
        #! predicted = torch.max(out, 1)[1]
        correct = (predicted == y[300:]).sum().item()
    print(epoch, loss.item(), correct / 100)
