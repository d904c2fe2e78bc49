# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(150, 6)
teacher = torch.softmax(x[:, :4] * 2, 1)
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 4))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    loss = F.kl_div(F.log_softmax(net(x), 1), teacher, reduction="batchmean")
    loss.backward()
    opt.step()
