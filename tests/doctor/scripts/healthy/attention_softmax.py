# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.gate, self.out = nn.Linear(4, 1), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        weight = torch.softmax(self.score(x), dim=1)
        pooled = (weight * x).sum(1) * torch.sigmoid(self.gate(x.mean(1)))
        return self.out(pooled)


x = torch.randn(60, 6, 4)
y = x.mean(1)[:, :3].argmax(1)
net = Pooled()
opt = torch.optim.Adam(net.parameters(), lr=0.01)
losses = []
for _ in range(15):
    opt.zero_grad()
    scores = net(x)
    loss = nn.functional.nll_loss(nn.functional.log_softmax(scores, dim=1), y)
    loss.backward()
    opt.step()
    losses.append(loss.detach())
print(torch.stack(losses).mean(), scores.argmax(0))
