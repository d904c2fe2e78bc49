# expected: rows_shuffled_apart
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __init__(self, rng):
        self.where = rng.normal(size=(120, 2)).astype("float32")
        self.side = (self.where[:, 0] > 0).astype(int)
        rng.shuffle(self.where)  # here
        rng.shuffle(self.side)  # wrong

    def __len__(self):
        return len(self.side)

    def __getitem__(self, i):
        return self.where[i], self.side[i]


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
rows = Rows(np.random.default_rng(0))
for epoch in range(5):
    for where, side in DataLoader(rows, batch_size=20):
        opt.zero_grad()
        nn.functional.cross_entropy(net(where), side).backward()
        opt.step()
