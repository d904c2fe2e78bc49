# expected: dropout_in_evaluation
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, x):
        x = nn.functional.dropout(nn.functional.relu(self.first(x)), 0.3)  # here
        return self.second(x)


x = torch.randn(90, 4)
y = x[:, :2].argmax(1)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(5):
    net.train()
    opt.zero_grad()
    nn.functional.cross_entropy(net(x[:60]), y[:60]).backward()
    opt.step()
    net.eval()
    with torch.no_grad():
        print((net(x[60:]).argmax(1) == y[60:]).float().mean().item())
