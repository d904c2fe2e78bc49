# expected: nothing
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.RMSprop(model.parameters(), lr=lr)
        self.hits = self.count = 0
        self.history = {"train": [], "val": []}

    def begin(self):
        self.hits = self.count = 0

    def one(self, xb, yb, train):
        with torch.set_grad_enabled(train):
            out = self.model(xb)
            loss = nn.functional.cross_entropy(out, yb)
        if train:
            self.opt.zero_grad(set_to_none=True)
            loss.backward()
            self.opt.step()
        self.hits += (out.argmax(1) == yb).sum().item()
        self.count += len(yb)
        return loss.item()

    def fit(self, loaders, epochs):
        for epoch in range(epochs):
            for phase in ("train", "val"):
                self.begin()
                self.model.train(phase == "train")
                summed = 0.0
                for batch in loaders[phase]:
                    summed += self.one(*batch, phase == "train") * len(batch[0])
                self.history[phase].append(summed / self.count)
                print(epoch, phase, self.hits / self.count)


if __name__ == "__main__":
    torch.manual_seed(0)
    x = torch.rand(300, 4)
    y = (x[:, 0] > x[:, 1]).long()
    x = (x - 0.5) / 0.29
    a, b = random_split(TensorDataset(x, y), [240, 60])
    Trainer(nn.Sequential(nn.Linear(4, 24), nn.GELU(), nn.Dropout(0.1), nn.Linear(24, 2)), 1e-3).fit(
        {"train": DataLoader(a, 30, shuffle=True), "val": DataLoader(b, 60)}, 6
    )
