# expected: first_nan
import torch

x = torch.linspace(0.1, 2.0, 32).unsqueeze(1)
net = torch.nn.Linear(1, 1)
with torch.no_grad():
    net.weight.fill_(0.1)
    net.bias.fill_(4.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
for _ in range(30):
    optimizer.zero_grad()
    barrier = torch.log(net(x) - 5)  # here
    loss = ((net(x) - 7) ** 2).mean() - 0.01 * barrier.mean()
    loss.backward()
    optimizer.step()
assert torch.isfinite(loss)
