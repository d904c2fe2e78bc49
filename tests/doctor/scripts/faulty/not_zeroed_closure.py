# expected: not_zeroed
import torch

theta = torch.ones(2, requires_grad=True)
optimizer = torch.optim.LBFGS([theta], max_iter=5)
x = torch.linspace(0, 2, 30)


def closure():
    loss = (theta[0] * torch.exp(-theta[1] * x) - 2 * torch.exp(-0.5 * x)).square().mean()
    loss.backward()  # here
    return loss


for _ in range(3):
    optimizer.step(closure)
