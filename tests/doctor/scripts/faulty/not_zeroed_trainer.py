# expected: not_zeroed
import torch


class Trainer:
    def __init__(self):
        self.model = torch.nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def step(self, x, y):
        loss = (self.model(x) - y).abs().mean()
        loss.backward()  # here
        self.optimizer.step()
        return loss.item()


torch.manual_seed(0)
trainer = Trainer()
x = torch.randn(30, 3)
for _ in range(10):
    trainer.step(x, x[:, :1])
