# expected: activation_on_logits
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(6, 20)
        self.b = nn.Linear(20, 1)

    def forward(self, x):
        h = F.relu(self.a(x))
        return F.relu(self.b(h)).squeeze(1)  # here
        #! return self.b(h).squeeze(1)


x = torch.randn(120, 6)
y = (x.sum(1) > 0).float()
net = Judge()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(50):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x), y)
    loss.backward()
    opt.step()
