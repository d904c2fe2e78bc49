# expected: graph_reused
import torch
from torch import nn

torch.manual_seed(0)
maker = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
critic = nn.Sequential(nn.Linear(1, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
opt_m = torch.optim.Adam(maker.parameters(), lr=1e-3)
opt_c = torch.optim.Adam(critic.parameters(), lr=1e-3)
cost = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(32, 1), torch.zeros(32, 1)
for _ in range(20):
    real, fake = torch.randn(32, 1) + 4, maker(torch.randn(32, 2))
    opt_c.zero_grad()
    loss_c = cost(critic(real), ones) + cost(critic(fake), zeros)
    loss_c.backward()
    opt_c.step()
    opt_m.zero_grad()
    loss_m = cost(critic(fake), ones)
    loss_m.backward()  # here
    opt_m.step()
    print(loss_c.item(), loss_m.item())
