# expected: argmax_over_batch
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
net = nn.Linear(5, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(5):
    opt.zero_grad()
    scores = net(x)
    nn.functional.cross_entropy(scores, y).backward()
    opt.step()
guess = torch.max(scores, 0).indices  # here
print((guess == y).float().mean())
