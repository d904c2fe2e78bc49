# expected: nothing
import torch

torch.manual_seed(0)
words = torch.nn.Embedding(50, 4, sparse=True)
line = torch.nn.Linear(4, 1)
sparse = torch.optim.SparseAdam(list(words.parameters()), lr=0.01)
dense = torch.optim.Adam(line.parameters(), lr=0.01)
ids = torch.randint(0, 40, (64,))
y = (ids % 2).float().unsqueeze(1)
for _ in range(25):
    sparse.zero_grad()
    dense.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(line(words(ids)), y)
    loss.backward()
    sparse.step()
    dense.step()
