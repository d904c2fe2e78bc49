# expected: softmax_over_batch
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, x):
        return F.log_softmax(self.body(x), dim=0)  # here
        #! return F.log_softmax(self.body(x), dim=1)


x = torch.randn(80, 5)
y = x[:, :3].argmax(1)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(30):
    opt.zero_grad()
    F.nll_loss(net(x), y).backward()
    opt.step()
