# expected: nothing
import argparse

import torch


class Trainer:
    def __init__(self, rate):
        self.model = torch.nn.GRU(2, 6, batch_first=True)
        self.head = torch.nn.Linear(6, 1)
        groups = [{"params": self.model.parameters()}, {"params": self.head.parameters(), "lr": 3 * rate}]
        self.optimizer = torch.optim.Adam(groups, lr=rate)

    def loss(self, x, y):
        hidden, _ = self.model(x)
        return torch.nn.functional.mse_loss(self.head(hidden[:, -1]), y)

    def fit(self, x, y, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.loss(x, y)
            loss.backward()
            self.optimizer.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=0.01)
    torch.manual_seed(0)
    x = torch.randn(20, 5, 2)
    Trainer(parser.parse_args().rate).fit(x, x.sum(dim=(1, 2)).unsqueeze(1), 15)
