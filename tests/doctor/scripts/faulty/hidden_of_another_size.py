# expected: hidden_size
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.GRU(2, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x, h):
        o, h = self.rnn(x, h)  # here
        return self.out(o[:, -1]), h.detach()


x = torch.randn(50, 6, 2)
y = x.sum((1, 2))[:, None]
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(3):
    h = torch.zeros(1, 20, 8)
    for k in range(0, 50, 20):
        opt.zero_grad()
        out, h = net(x[k : k + 20], h)
        loss = F.mse_loss(out, y[k : k + 20])
        loss.backward()
        opt.step()
