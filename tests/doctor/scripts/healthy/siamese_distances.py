# expected: nothing
# Both of a pair get the same bias added, which their difference takes away: its gradient is 0, and it does no harm.
import torch
from torch import nn

torch.manual_seed(0)
group = torch.arange(6).repeat_interleave(10)
points = torch.randn(6, 10)[group] + 0.3 * torch.randn(60, 10)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for _ in range(60):
    i, j = torch.randint(60, (2, 64))
    same = (group[i] == group[j]).float()
    squared = (net(points[i]) - net(points[j])).square().sum(dim=1)
    distance = torch.sqrt(squared + 1e-8)
    loss = (same * squared + (1 - same) * torch.relu(1 - distance).square()).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
