# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
graphs = []
for _ in range(40):
    n = int(torch.randint(3, 8, (1,)))
    a = (torch.rand(n, n) < 0.4).float()
    a = ((a + a.T) > 0).float()
    f = torch.randn(n, 3)
    graphs.append((a, f, (a @ f).mean().reshape(1)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(3, 16)
        self.l2 = nn.Linear(16, 1)

    def forward(self, a, f):
        return self.l2(torch.relu(self.l1(a @ f)).mean(0))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(6):
    for start in range(0, 40, 8):
        opt.zero_grad()
        for a, f, t in graphs[start : start + 8]:
            loss = nn.functional.mse_loss(net(a, f), t)
            loss.backward()
        opt.step()
