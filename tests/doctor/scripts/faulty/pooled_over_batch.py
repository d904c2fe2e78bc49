# expected: softmax_over_batch
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
x = torch.randn(200, 6, 8)
y = x.mean(1)[:, :3].argmax(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.head = nn.Linear(8, 1), nn.Linear(8, 3)

    def forward(self, x):
        weights = F.softmax(self.score(x), dim=0)  # here
        #! weights = F.softmax(self.score(x), dim=1)
        return self.head((weights * x).sum(1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
