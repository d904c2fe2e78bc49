# expected: softmax_over_batch
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 5)
y = x[:, :3].argmax(1)
net = nn.Linear(5, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    logs = nn.functional.log_softmax(net(x), dim=0)  # here
    loss = nn.functional.nll_loss(logs, y)
    loss.backward()
    opt.step()
