# expected: view_for_permute
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Attention(nn.Module):
    def __init__(self, size=12, heads=3):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, size)
        self.heads, self.out = heads, nn.Linear(size, 2)

    def forward(self, x):
        b, t, e = x.shape
        q = self.q(x).view(b, self.heads, t, e // self.heads)  # here
        #! q = self.q(x).view(b, t, self.heads, e // self.heads).transpose(1, 2)
        k = self.k(x).view(b, t, self.heads, e // self.heads).transpose(1, 2)
        v = self.v(x).view(b, t, self.heads, e // self.heads).transpose(1, 2)
        mixed = torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v
        return self.out(mixed.transpose(1, 2).reshape(b, t, e).mean(1))


x = torch.randn(40, 7, 12)
y = (x[:, 0, 0] > 0).long()
net = Attention()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(20):
    opt.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
