# expected: view_for_permute
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
series = torch.randn(30, 64, 4)  # time, batch, features
y = series[:, :, 0].sum(0)[:, None] / 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.GRU(4, 12, batch_first=True), nn.Linear(12, 1)

    def forward(self, x):
        x = x.reshape(64, 30, 4)  # here
        #! x = x.transpose(0, 1)
        return self.out(self.rnn(x)[1][-1])


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(15):
    opt.zero_grad()
    loss = F.mse_loss(net(series), y)
    loss.backward()
    opt.step()
