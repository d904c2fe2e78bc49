# expected: no_gradient
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.letters, self.out = nn.Embedding(20, 4), nn.Embedding(9, 4), nn.Linear(4, 3)

    def forward(self, words, letters):
        with torch.no_grad():
            extra = self.letters(letters)  # here
        return self.out(self.words(words) + extra)


torch.manual_seed(0)
model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
words, letters, label = torch.randint(0, 20, (30,)), torch.randint(0, 9, (30,)), torch.randint(0, 3, (30,))
for _ in range(6):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(words, letters), label)
    loss.backward()
    optimizer.step()
