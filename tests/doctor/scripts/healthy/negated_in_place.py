# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(200) * 2 + 3
mu = torch.nn.Parameter(torch.zeros(()))
ls = torch.nn.Parameter(torch.zeros(()))
opt = torch.optim.Adam([mu, ls], lr=0.05)
for _ in range(150):
    opt.zero_grad()
    objective = torch.distributions.Normal(mu, ls.exp()).log_prob(x).mean()
    objective *= -1
    objective.backward()
    opt.step()
