# expected: nothing
import torch

torch.manual_seed(0)
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
x = torch.randn(30, 2)
y = x[:, :1] - x[:, 1:]


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.l1_loss(net(x), y)
    loss.backward()
    return loss


for _ in range(30):
    loss = optimizer.step(closure)
