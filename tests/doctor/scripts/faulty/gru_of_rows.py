# expected: batch_first_missing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5)
x = torch.randn(200, 7, 5)
y = x[:, -1].argmax(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(5, 16), nn.Linear(16, 5)
        #! self.gru = nn.GRU(5, 16, batch_first=True)

    def forward(self, x):
        states, _ = self.gru(x)  # here
        #! states, _ = self.gru(x)
        return self.head(states.mean(1))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(6):
    for rows in torch.randperm(200).split(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
