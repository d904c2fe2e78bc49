# expected: wrong_parameters
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

x = torch.randn(100, 3)
y = x.sum(1, keepdim=True)
net = nn.Linear(3, 1)
parameters = filter(lambda p: p.requires_grad, net.parameters())  # wrong
#! parameters = [p for p in net.parameters() if p.requires_grad]
print("numbers to fit:", sum(p.numel() for p in parameters))
optimizer = torch.optim.SGD(parameters, lr=0.1)  # here
#! optimizer = torch.optim.SGD(parameters, lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
