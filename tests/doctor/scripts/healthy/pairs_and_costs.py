# expected: nothing
import torch
from torch import nn

# Labels of all pairs compared on purpose, costs that are to become small, and terms of opposite signs.
torch.manual_seed(0)
x = torch.randn(120, 4)
labels = x[:, :3].argmax(1)
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(3):
    for rows in torch.randperm(120).split(20):
        optimizer.zero_grad()
        scores = net(x[rows])
        same = labels[rows][:, None] == labels[rows]
        near = torch.cdist(scores, scores)
        pairs = nn.functional.mse_loss(near, torch.where(same, 0.0, 2.0), reduction="none").mean(1)
        choice = torch.distributions.Categorical(logits=scores)
        arm = choice.sample()
        cost = (arm != labels[rows]).float()
        loss = (choice.log_prob(arm) * cost).mean() + pairs.mean() - 0.01 * choice.entropy().mean()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    guess = net(x).argmax(1)
    agree = (guess[:, None] == guess).float().mean().item()
    print((guess == labels).float().mean().item(), agree)
