# expected: nothing
import torch

torch.manual_seed(0)
data = 3 + 2 * torch.randn(200)
mean = torch.zeros((), requires_grad=True)
log_sigma = torch.zeros((), requires_grad=True)
optimizer = torch.optim.Adam([mean, log_sigma], lr=0.1)
for _ in range(60):
    optimizer.zero_grad()
    loss = -torch.distributions.Normal(mean, log_sigma.exp()).log_prob(data).mean()
    loss.backward()
    optimizer.step()
