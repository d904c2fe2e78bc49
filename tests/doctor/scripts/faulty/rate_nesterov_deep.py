# expected: rate_too_large
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9, nesterov=True)  # here
x = torch.randn(60, 2)
y = x.sum(dim=1, keepdim=True)
for _ in range(40):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
