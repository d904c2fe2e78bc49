# expected: graph_reused
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.LSTM(2, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x, state):
        h, state = self.rnn(x, state)
        return self.out(h), state


series = torch.randn(4, 60, 2)
target = series.cumsum(1)[:, :, :1] / 5
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
state = None
for i in range(0, 60, 10):
    out, state = net(series[:, i : i + 10], state)
    #! state = tuple(s.detach() for s in state)
    loss = F.mse_loss(out, target[:, i : i + 10])
    opt.zero_grad()
    loss.backward()  # here
    #! loss.backward()
    opt.step()
