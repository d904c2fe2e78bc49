# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            h = self.backbone(x)
        return self.head(h)


x = torch.randn(200, 6)
y = x[:, :3].argmax(1)
net = Net().train()
net.backbone.requires_grad_(False)
opt = torch.optim.AdamW(net.head.parameters(), lr=0.01)
for epoch in range(10):
    net.train()
    for rows in torch.randperm(160).split(40):
        opt.zero_grad(set_to_none=True)
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print((net(x[160:]).argmax(1) == y[160:]).float().mean().item())
