# expected: activation_on_logits
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.GRU(3, 12, batch_first=True)
        self.out = nn.Linear(12, 4)

    def forward(self, x):
        _, h = self.body(x)
        return torch.tanh(self.out(h[-1]))  # here
        #! return self.out(h[-1])


x = torch.randn(100, 7, 3)
y = x[:, :, 0].argmax(1) % 4
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(25):
    opt.zero_grad()
    loss = nn.CrossEntropyLoss()(net(x), y)
    loss.backward()
    opt.step()
