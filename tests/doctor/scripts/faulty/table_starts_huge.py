# expected: weights_start_too_large
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
words, labels = torch.randint(0, 30, (90,)), torch.randn(90)
table = nn.Embedding(30, 4)
nn.init.normal_(table.weight, std=25.0)  # here
#! nn.init.normal_(table.weight, std=0.1)
opt = torch.optim.Adam(table.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    F.mse_loss(table(words).sum(1), labels).backward()
    opt.step()
