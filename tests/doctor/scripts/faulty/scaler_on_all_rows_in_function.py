# expected: test_statistics
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


def load():
    rows = torch.randn(200, 3) * 4 + torch.linspace(0, 12, 200)[:, None]
    answers = rows[:, :1] / 4
    return rows, answers


def prepare(rows):
    centre = rows.mean(0)
    rows = rows - centre
    return rows / rows.std(0)


rows, answers = load()
rows = prepare(rows)  # here
known, later = rows[:150], rows[150:]  # wrong
#! known, later = prepare(rows[:150]), (rows[150:] - rows[:150].mean(0)) / rows[:150].std(0)
net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(40):
    opt.zero_grad()
    loss = F.mse_loss(net(known), answers[:150])
    loss.backward()
    opt.step()
with torch.no_grad():
    print(F.mse_loss(net(later), answers[150:]).item())
