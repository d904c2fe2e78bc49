# expected: nll_without_log_softmax
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
net = nn.Linear(5, 3)
criterion = nn.NLLLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.001)
for _ in range(10):
    opt.zero_grad()
    loss = criterion(net(x), y)  # here
    loss.backward()
    opt.step()
