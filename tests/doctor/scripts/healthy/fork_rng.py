# expected: nothing
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(200, 6)
enc, dec = nn.Linear(6, 4), nn.Linear(2, 6)
opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=1e-2)
for epoch in range(8):
    for (b,) in DataLoader(TensorDataset(x), 20, shuffle=True):
        mu, ls = enc(b).chunk(2, 1)
        z = mu + ls.exp() * torch.randn_like(mu)
        loss = (dec(z) - b).square().sum(1).mean() + 0.5 * (mu**2 + (2 * ls).exp() - 2 * ls - 1).sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(7)
        print(epoch, dec(torch.randn(2, 2)).mean().item())
