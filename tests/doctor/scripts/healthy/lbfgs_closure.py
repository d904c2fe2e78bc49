# expected: nothing
import torch

torch.manual_seed(0)
x = torch.linspace(0, 4, 60)
y = 2.5 * torch.exp(-1.3 * x) + 0.5
theta = torch.ones(3, requires_grad=True)
optimizer = torch.optim.LBFGS([theta], max_iter=20, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    a, b, c = theta
    loss = (a * torch.exp(-b * x) + c - y).square().mean()
    loss.backward()
    return loss


for _ in range(5):
    optimizer.step(closure)
