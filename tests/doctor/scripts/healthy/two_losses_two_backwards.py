# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.label, self.size = nn.Linear(6, 24), nn.Linear(24, 3), nn.Linear(24, 1)

    def forward(self, x):
        h = torch.relu(self.body(x))
        return self.label(h), self.size(h)


x = torch.randn(150, 6)
label, size = x[:, :3].argmax(1), x[:, 3:4].abs()
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    opt.zero_grad()
    scores, guess = net(x)
    for loss in (F.cross_entropy(scores, label), F.mse_loss(guess, size)):
        loss.backward(retain_graph=True)
    opt.step()
