# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(64)
y = torch.sin(x)
parameters = [torch.randn(8, 1).requires_grad_(), torch.zeros(8, 1).requires_grad_(), torch.randn(1, 8).requires_grad_()]
for _ in range(100):
    a, b, c = parameters
    loss = ((c @ torch.tanh(a * x + b)).squeeze(0) - y).square().mean()
    slopes = torch.autograd.grad(loss, parameters)
    parameters = [(p - 0.05 * g).detach().requires_grad_() for p, g in zip(parameters, slopes)]
