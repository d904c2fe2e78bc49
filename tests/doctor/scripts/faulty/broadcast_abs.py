# expected: shape_broadcast
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(2, 1)

    def forward(self, x):
        return self.line(x)


def train(net, x, target):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        difference = target - net(x)  # here
        loss = difference.abs().mean()
        loss.backward()
        optimizer.step()


torch.manual_seed(0)
x = torch.randn(25, 2)
train(Net(), x, x[:, 1])
