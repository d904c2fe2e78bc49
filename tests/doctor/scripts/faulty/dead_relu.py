# expected: no_gradient
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
torch.nn.init.constant_(net[0].bias, -50.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x = torch.randn(40, 2)
y = x.sum(dim=1, keepdim=True)
for _ in range(10):
    optimizer.zero_grad()
    loss = (net(x) - y).square().mean()  # here
    loss.backward()
    optimizer.step()
