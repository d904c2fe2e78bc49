# expected: dropout_in_evaluation
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 32), nn.Linear(32, 2)

    def forward(self, x):
        h = nn.Dropout(0.5)(torch.relu(self.a(x)))  # here
        #! h = F.dropout(torch.relu(self.a(x)), 0.5, self.training)
        return self.b(h)


x = torch.randn(200, 6)
y = (x[:, 0] > 0).long()
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    net.train()
    for rows in torch.randperm(160).split(40):
        opt.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print((net(x[160:]).argmax(1) == y[160:]).float().mean().item())
