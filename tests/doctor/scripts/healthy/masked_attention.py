# expected: nothing
import math

import torch

torch.manual_seed(0)
query, key, value = (torch.nn.Linear(8, 8) for _ in range(3))
head = torch.nn.Linear(8, 5)
optimizer = torch.optim.Adam([*query.parameters(), *key.parameters(), *value.parameters(), *head.parameters()], lr=0.01)
x = torch.randn(4, 6, 8)
label = torch.randint(0, 5, (4, 6))
mask = torch.full((6, 6), float("-inf")).triu(1)
for _ in range(15):
    optimizer.zero_grad()
    scores = query(x) @ key(x).transpose(1, 2) / math.sqrt(8) + mask
    out = head(torch.softmax(scores, dim=-1) @ value(x))
    loss = torch.nn.functional.cross_entropy(out.reshape(-1, 5), label.reshape(-1))
    loss.backward()
    optimizer.step()
