# expected: loss_without_bound
import torch
from torch.distributions import Normal, kl_divergence

torch.manual_seed(0)
x = torch.randn(300, 2) @ torch.randn(2, 8)
encoder = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
decoder = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 8))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
prior = Normal(torch.zeros(2), torch.ones(2))
for epoch in range(12):
    for batch in x[torch.randperm(300)].split(50):
        mean, log_deviation = encoder(batch).chunk(2, dim=1)
        posterior = Normal(mean, log_deviation.exp())
        error = (decoder(posterior.rsample()) - batch).square().sum(1).mean()
        loss = error - 0.5 * kl_divergence(posterior, prior).sum(1).mean()  # here
        #! loss = error + 0.5 * kl_divergence(posterior, prior).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
