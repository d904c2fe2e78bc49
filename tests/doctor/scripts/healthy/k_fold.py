# expected: nothing
import torch
import torch.nn.functional as F
from sklearn.model_selection import KFold
from torch import nn

torch.manual_seed(0)
x = torch.randn(150, 5)
y = x[:, :3].argmax(1)
scores = []
for fold, (train, test) in enumerate(KFold(5, shuffle=True, random_state=0).split(x.numpy())):
    torch.manual_seed(fold)
    net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
    opt = torch.optim.Adam(net.parameters(), lr=0.02)
    mean, std = x[train].mean(0), x[train].std(0)
    for _ in range(30):
        opt.zero_grad()
        F.cross_entropy(net((x[train] - mean) / std), y[train]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        scores.append((net((x[test] - mean) / std).argmax(1) == y[test]).float().mean().item())
print(sum(scores) / 5)
