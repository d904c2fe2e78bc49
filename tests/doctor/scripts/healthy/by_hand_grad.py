# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(64)
y = torch.sin(x)
shapes = [(8, 1), (8, 1), (1, 8)]
parameters = [torch.randn(shape).requires_grad_() for shape in shapes]
for _ in range(100):
    a, b, c = parameters
    loss = ((c @ torch.tanh(a * x + b)).squeeze(0) - y).square().mean()
    slopes = torch.autograd.grad(loss, parameters)
    parameters = [(p - 0.05 * g).detach().requires_grad_() for p, g in zip(parameters, slopes)]
