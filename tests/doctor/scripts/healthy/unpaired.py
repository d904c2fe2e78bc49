# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
source = torch.randn(160, 4)
target = torch.randn(160, 4) + 0.5
y = (source[:, 0] > 0).long()
feat, head = nn.Sequential(nn.Linear(4, 16), nn.ReLU()), nn.Linear(16, 2)
opt = torch.optim.Adam([*feat.parameters(), *head.parameters()], lr=3e-3)
for epoch in range(8):
    order = torch.randperm(160)
    source, y = source[order], y[order]
    target = target[torch.randperm(160)]
    for s, answer, t in zip(source.split(40), y.split(40), target.split(40)):
        fs, ft = feat(s), feat(t)
        loss = nn.functional.cross_entropy(head(fs), answer) + (fs.mean(0) - ft.mean(0)).square().sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
