# expected: ranking_upside_down
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

items = torch.randn(300, 8)
worth = items @ torch.randn(8)
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(120):
    pairs = torch.randint(0, 300, (64, 2))
    better = torch.where(worth[pairs[:, 0]] > worth[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    worse = pairs.sum(1) - better
    score_better, score_worse = net(items[better]).squeeze(1), net(items[worse]).squeeze(1)
    target = -torch.ones(64)  # wrong
    #! target = torch.ones(64)
    loss = F.margin_ranking_loss(score_better, score_worse, target, margin=0.5)  # here
    #! loss = F.margin_ranking_loss(score_better, score_worse, target, margin=0.5)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(step, loss.item(), (score_better > score_worse).float().mean().item())
