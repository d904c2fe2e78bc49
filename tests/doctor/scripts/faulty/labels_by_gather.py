# expected: class_out_of_range
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 4)
y = x[:, :3].argmax(1) + 1  # wrong
#! y = x[:, :3].argmax(1)
net = nn.Linear(4, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    loss = -net(x).log_softmax(1).gather(1, y[:, None]).mean()  # here
    #! loss = -net(x).log_softmax(1).gather(1, y[:, None]).mean()
    loss.backward()
    opt.step()
