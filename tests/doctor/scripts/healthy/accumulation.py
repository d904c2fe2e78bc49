# expected: nothing
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
x = torch.randn(80, 3)
y = x.sum(dim=1, keepdim=True)
for step in range(40):
    part = slice(20 * (step % 4), 20 * (step % 4) + 20)
    loss = torch.nn.functional.mse_loss(net(x[part]), y[part]) / 4
    loss.backward()
    if (step + 1) % 4 == 0:
        optimizer.step()
        optimizer.zero_grad()
