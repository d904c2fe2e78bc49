# expected: nothing
import torch

torch.manual_seed(0)
x = torch.linspace(0.1, 2.0, 32).unsqueeze(1)
y = torch.log(x + 1.0)
net = torch.nn.Linear(1, 1)
with torch.no_grad():
    net.weight.fill_(1.0)
    net.bias.fill_(0.5)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(20):
    loss = ((torch.log(net(x) - 5.0 * (step == 3)) - y) ** 2).mean()
    loss.backward()
    if torch.isfinite(loss):
        optimizer.step()
    optimizer.zero_grad()
