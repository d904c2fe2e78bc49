# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randint(0, 256, (120, 4)).float()
y = (x[:, :1] - x[:, 1:2]) / 100


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 16)
        self.last = nn.Linear(16, 1)

    def forward(self, x):
        return self.last(self.first(x / 127.5 - 1).relu())


net = Model()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(150):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
