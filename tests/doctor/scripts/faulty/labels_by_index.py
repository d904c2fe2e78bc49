# expected: class_out_of_range
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(60, 4)
y = x[:, :3].argmax(1) + 1  # wrong
#! y = x[:, :3].argmax(1)
net = nn.Linear(4, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    opt.zero_grad()
    log_p = F.log_softmax(net(x), 1)
    loss = -log_p[torch.arange(60), y].mean()  # here
    #! loss = -log_p[torch.arange(60), y].mean()
    loss.backward()
    opt.step()
