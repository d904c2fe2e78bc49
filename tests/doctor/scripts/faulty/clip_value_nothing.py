# expected: clipped_to_nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 6, 3)
y = x[:, :, 0].sum(1, keepdim=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.RNN(3, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(40):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    torch.nn.utils.clip_grad_value_(net.parameters(), 1e-6)  # here
    #! torch.nn.utils.clip_grad_value_(net.parameters(), 1.0)
    opt.step()
