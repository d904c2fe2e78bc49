# expected: output_out_of_reach
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, :1] * x[:, 1:2]).tanh() + x[:, 2:3]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 16)
        self.last = nn.Linear(16, 1)

    def forward(self, x):
        return self.last(torch.tanh(self.first(x))).relu().squeeze(1)  # here


net = Model()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(60):
    opt.zero_grad()
    loss = nn.functional.l1_loss(net(x), y[:, 0])
    loss.backward()
    opt.step()
