# expected: nothing
import torch

torch.manual_seed(0)
cell, head = torch.nn.LSTMCell(1, 6), torch.nn.Linear(6, 1)
optimizer = torch.optim.Adam([*cell.parameters(), *head.parameters()], lr=0.01)
series = torch.sin(torch.arange(60) / 5).reshape(12, 5, 1)
state = torch.zeros(1, 6), torch.zeros(1, 6)
for chunk in series:
    state = tuple(part.detach() for part in state)
    loss = torch.zeros(())
    for now, following in zip(chunk[:-1], chunk[1:]):
        state = cell(now.unsqueeze(0), state)
        loss = loss + (head(state[0]) - following).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
