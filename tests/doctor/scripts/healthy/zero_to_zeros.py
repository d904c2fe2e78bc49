# expected: nothing
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
x = torch.randn(80, 3)
y = x.sum(dim=1, keepdim=True)
for _ in range(40):
    loss = (net(x) - y).pow(2).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
