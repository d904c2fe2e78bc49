# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
obs = torch.randn(300, 3) * 2 + 5
obs[torch.rand(300) < 0.1] = float("nan")
valid = ~torch.isnan(obs).any(1)
mu, sd = obs[valid].mean(0), obs[valid].std(0)
obs = (obs - mu) / sd
clean = obs[valid]
recon = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3))
opt = torch.optim.Adam(recon.parameters(), lr=1e-2)
for k in range(60):
    batch = clean[torch.randint(len(clean), (64,))]
    opt.zero_grad()
    loss = (recon(batch + 0.3 * torch.randn_like(batch)) - batch).pow(2).mean()
    loss.backward()
    opt.step()
