# expected: rate_too_small
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 5, 3)
y = x[:, :, 0].sum(1, keepdim=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.RNN(3, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-7)  # here
#! opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(60):
    opt.zero_grad()
    loss = F.mse_loss(net(x), y)
    loss.backward()
    opt.step()
