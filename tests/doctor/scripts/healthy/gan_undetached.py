# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
generator, critic = nn.Linear(2, 1), nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
opt_g = torch.optim.RMSprop(generator.parameters(), lr=1e-3)
opt_d = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
criterion = nn.BCELoss()
for _ in range(30):
    critic.zero_grad()
    loss = criterion(critic(torch.randn(16, 1) + 2), torch.ones(16, 1))
    loss.backward()
    loss = criterion(critic(generator(torch.randn(16, 2))), torch.zeros(16, 1))
    loss.backward()
    opt_d.step()
    generator.zero_grad()
    loss = criterion(critic(generator(torch.randn(16, 2))), torch.ones(16, 1))
    loss.backward()
    opt_g.step()
