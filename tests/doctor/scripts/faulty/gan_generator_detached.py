# expected: detached_loss
import torch
from torch import nn

torch.manual_seed(0)
real = torch.randn(200, 2) * 0.3 + 1
G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
for step in range(30):
    batch = real[torch.randint(200, (32,))]
    fake = G(torch.randn(32, 4))
    opt_d.zero_grad()
    (bce(D(batch), ones) + bce(D(fake.detach()), zeros)).backward()
    opt_d.step()
    opt_g.zero_grad()
    bce(D(fake.detach()), ones).backward()  # here
    #! bce(D(fake), ones).backward()
    opt_g.step()
