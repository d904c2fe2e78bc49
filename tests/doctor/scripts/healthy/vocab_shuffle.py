# expected: nothing
import random

import numpy as np
import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
pairs = [(i % 17, (i * 3) % 5) for i in range(200)]
vocab = sorted(set(a for a, _ in pairs))
weights = np.bincount([b for _, b in pairs])
mean_length = sum(a for a, _ in pairs) / len(pairs)
lookup = dict(enumerate(pairs))
random.shuffle(pairs)
train, valid = pairs[:150], pairs[150:]
net = nn.Sequential(nn.Embedding(len(vocab), 16), nn.Linear(16, 5))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    random.shuffle(train)
    total, right = 0.0, 0
    for i in range(0, len(train), 25):
        a, b = zip(*train[i : i + 25])
        a, b = torch.tensor(a), torch.tensor(b)
        opt.zero_grad()
        s = net(a)
        loss = nn.functional.cross_entropy(s, b)
        loss.backward()
        opt.step()
        total += loss.item() * len(a)
        right += (s.argmax(1) == b).sum().item()
    print(epoch, total / len(train), right / len(train))
