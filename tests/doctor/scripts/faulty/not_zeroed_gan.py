# expected: not_zeroed
import torch

torch.manual_seed(0)
generator, critic = (
    torch.nn.Linear(2, 1),
    torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)),
)
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3)
opt_d = torch.optim.Adam(critic.parameters(), lr=1e-3)
criterion = torch.nn.BCEWithLogitsLoss()
for _ in range(10):
    opt_d.zero_grad()
    fake = generator(torch.randn(16, 2))
    loss_d = criterion(critic(torch.randn(16, 1) + 3), torch.ones(16, 1)) + criterion(
        critic(fake.detach()), torch.zeros(16, 1)
    )
    loss_d.backward()
    opt_d.step()
    loss_g = criterion(critic(fake), torch.ones(16, 1))
    loss_g.backward()  # here
    opt_g.step()
