# expected: frozen_forgotten
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Texts(nn.Module):
    def __init__(self, words, size):
        super().__init__()
        vectors = torch.randn(words, size)
        self.table = nn.Embedding.from_pretrained(vectors)  # here
        #! self.table = nn.Embedding(words, size)
        self.out = nn.Linear(size, 2)

    def forward(self, tokens):
        return self.out(self.table(tokens).mean(1))


tokens = torch.randint(0, 500, (400, 12))
labels = (tokens[:, :6].sum(1) > tokens[:, 6:].sum(1)).long()
model = Texts(500, 16)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(tokens), labels)
    loss.backward()
    optimizer.step()
print(loss.item())
