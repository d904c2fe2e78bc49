# expected: nothing
import torch

torch.manual_seed(0)
t = torch.linspace(0, 4, 60)
y = 2.5 * torch.exp(-1.3 * t) + 0.5 + 0.01 * torch.randn(60)
a, b, c = (torch.tensor(v, requires_grad=True) for v in (1.0, 1.0, 0.0))
opt = torch.optim.LBFGS([a, b, c], lr=1, max_iter=20, line_search_fn="strong_wolfe")


def closure():
    opt.zero_grad()
    loss = ((a * torch.exp(-b * t) + c - y) ** 2).mean()
    loss.backward()
    return loss


for _ in range(5):
    loss = opt.step(closure)
print(a.item(), b.item(), c.item())
