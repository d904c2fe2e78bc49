# expected: nothing
import argparse

import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--epochs", type=int, default=5)
args = p.parse_args()
torch.manual_seed(0)
x = torch.randn(200, 4)
y = (x[:, 0] * x[:, 1] > 0).float()
model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
total_correct, total_seen = torch.zeros(()), 0
for epoch in range(args.epochs):
    total_correct.zero_()
    total_seen = 0
    for idx in torch.randperm(200).split(20):
        logit = model(x[idx]).squeeze(-1)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total_correct += ((logit > 0) == (y[idx] > 0)).sum()
        total_seen += len(idx)
    print(epoch, (total_correct / total_seen).item())
