# expected: nothing
# One order picks inputs and targets, cut anew for each; words of a sentence are shuffled, and pictures mixed in place.
import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sentence():
    label = random.randint(0, 1)
    words = random.choices(range(1, 9), k=5) + [9 + label]
    random.shuffle(words)
    return words, label


random.seed(0)
torch.manual_seed(0)
sentences = [sentence() for _ in range(160)]
x = torch.tensor([words for words, _ in sentences])
y = torch.tensor([label for _, label in sentences])
net = nn.Sequential(nn.Embedding(11, 8), nn.Flatten(), nn.Linear(48, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(6):
    order = torch.randperm(len(x))
    for i in range(0, len(x), 20):
        opt.zero_grad()
        F.cross_entropy(net(x[order[i : i + 20]]), y[order[i : i + 20]]).backward()
        opt.step()
pictures = torch.randn(160, 1, 6, 6)
sides = (pictures.mean(dim=(1, 2, 3)) > 0).long()
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(3):
    for inputs, labels in DataLoader(TensorDataset(pictures, sides), batch_size=20, shuffle=True):
        others = torch.randperm(len(inputs))
        inputs[:, :, 2:4, 2:4] = inputs[others][:, :, 2:4, 2:4]
        opt.zero_grad()
        scores = net(inputs)
        loss = (32 * F.cross_entropy(scores, labels) + 4 * F.cross_entropy(scores, labels[others])) / 36
        loss.backward()
        opt.step()
