# expected: softmax_over_wrong_axis
import torch

torch.manual_seed(0)
words = torch.randint(0, 12, (96, 7))
tags = words % 3
table, head = torch.nn.Embedding(12, 8), torch.nn.Linear(8, 3)
optimizer = torch.optim.Adam([*table.parameters(), *head.parameters()], lr=0.02)
for _ in range(8):
    for rows in torch.randperm(96).split(32):
        log_p = head(table(words[rows])).log_softmax(dim=1)  # here
        #! log_p = head(table(words[rows])).log_softmax(dim=2)
        loss = -log_p.gather(2, tags[rows].unsqueeze(2)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
