# expected: index_out_of_range
import torch
from torch import nn

torch.manual_seed(0)
tokens = torch.randint(1, 11, (40, 3))
y = torch.randn(40)
table, out = nn.Embedding(10, 4), nn.Linear(12, 1)
opt = torch.optim.Adam([*table.parameters(), *out.parameters()], lr=0.01)
for _ in range(5):
    opt.zero_grad()
    rows = table(tokens).flatten(1)  # here
    loss = nn.functional.mse_loss(out(rows)[:, 0], y)
    loss.backward()
    opt.step()
