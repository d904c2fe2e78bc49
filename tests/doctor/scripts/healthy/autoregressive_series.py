# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
series = torch.sin(torch.arange(300) * 0.1) + 0.05 * torch.randn(300)
windows = series.unfold(0, 11, 1)
x, y = windows[:, :10, None], windows[:, 10:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(1, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(4):
    for rows in torch.randperm(240).split(40):
        opt.zero_grad()
        F.mse_loss(net(x[rows]), y[rows]).backward()
        opt.step()
