# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
text = torch.randint(0, 30, (2000,)).remainder(7).cumsum(0).remainder(30)


class LM(nn.Module):
    def __init__(self, words=30, size=144):
        super().__init__()
        self.embed = nn.Embedding(words, size)
        self.rnn = nn.GRU(size, size, batch_first=True)
        self.out = nn.Linear(size, words, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, t):
        return self.out(self.rnn(self.embed(t))[0])


net = LM()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(40):
    at = torch.randint(0, 1980, (16,))
    batch = torch.stack([text[i : i + 17] for i in at])
    scores = net(batch[:, :-1])
    loss = F.cross_entropy(scores.reshape(-1, 30), batch[:, 1:].reshape(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    opt.step()
