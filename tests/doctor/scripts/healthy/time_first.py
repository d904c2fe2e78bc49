# expected: nothing
import torch
from torch import nn

# Recurrent layers and attention with time in the first axis, as their defaults have it; targets for each step, and one.
torch.manual_seed(0)
steps, series = 12, 200
x = torch.randn(steps, series, 3)
y = x.cumsum(0)[..., :1] * 0.3
last = (x.sum((0, 2)) > 0).long()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.each, self.score = nn.GRU(3, 16), nn.Linear(16, 1), nn.Linear(16, 1)
        self.mix, self.one = nn.MultiheadAttention(16, 2), nn.Linear(16, 2)

    def forward(self, x):
        states, _ = self.rnn(x)
        weights = self.score(states).softmax(dim=0)  # over time
        return self.each(states), self.one((weights * self.mix(states, states, states)[0]).sum(0))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(4):
    for columns in torch.randperm(series).split(25):
        optimizer.zero_grad()
        path, end = net(x[:, columns])
        loss = nn.functional.mse_loss(path, y[:, columns]) + nn.functional.cross_entropy(end, last[columns])
        loss.backward()
        optimizer.step()
