# expected: clipped_after_step
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = x[:, :1] * 2
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    #! nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)  # here
