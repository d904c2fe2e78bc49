# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(200) * 2 + 3
mu = torch.nn.Parameter(torch.zeros(()))
ls = torch.nn.Parameter(torch.zeros(()))
opt = torch.optim.Adam([mu, ls], lr=0.05, maximize=True)
for _ in range(150):
    opt.zero_grad()
    ll = torch.distributions.Normal(mu, ls.exp()).log_prob(x).mean()
    ll.backward()
    opt.step()
print(mu.item(), ls.exp().item())
