# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
lengths = torch.randint(3, 9, (200,))
tokens = torch.randint(1, 20, (200, 8)) * (torch.arange(8) < lengths[:, None])
labels = (tokens == 7).any(1).long()
table = nn.Embedding(20, 8, padding_idx=0)  # its row 0 is set to 0 in a view, without gradients
with torch.no_grad():
    table.weight[1:3].mul_(0.5)
head = nn.Linear(8, 2)
optimizer = torch.optim.Adam([*table.parameters(), *head.parameters()], lr=0.02)
for _ in range(10):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(table(tokens[rows]).amax(1)), labels[rows])
        loss.backward()
        optimizer.step()
