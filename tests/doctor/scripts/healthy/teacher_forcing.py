# expected: nothing
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
pairs = [([random.randrange(3, 12) for _ in range(5)]) for _ in range(120)]
src = torch.tensor(pairs)
tgt = src.flip(1)


class S(nn.Module):
    def __init__(s):
        super().__init__()
        s.e = nn.Embedding(12, 16)
        s.enc = nn.GRU(16, 32, batch_first=True)
        s.dec = nn.GRUCell(16, 32)
        s.o = nn.Linear(32, 12)

    def forward(s, a, b=None):
        _, h = s.enc(s.e(a))
        h = h[0]
        tok = torch.full((len(a),), 1)
        outs = []
        for t in range(5):
            h = s.dec(s.e(tok), h)
            lo = s.o(h)
            outs.append(lo)
            tok = b[:, t] if b is not None and random.random() < 0.5 else lo.argmax(1)
        return torch.stack(outs, 1)


m = S()
opt = torch.optim.Adam(m.parameters(), 5e-3)
crit = nn.CrossEntropyLoss(ignore_index=0)
for ep in range(6):
    random.shuffle(pairs)
    for i in range(0, 120, 30):
        a = torch.tensor(pairs[i : i + 30])
        b = a.flip(1)
        loss = crit(m(a, b).reshape(-1, 12), b.reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
m.eval()
with torch.no_grad():
    print((m(src).argmax(-1) == tgt).float().mean().item())
