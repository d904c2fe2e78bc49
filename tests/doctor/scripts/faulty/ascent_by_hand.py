# expected: loss_maximised
import torch

torch.manual_seed(0)
x = torch.linspace(-1, 1, 50)
y = 3 * x + 1
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for _ in range(30):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w += 0.1 * w.grad  # here
        #! w -= 0.1 * w.grad
        b += 0.1 * b.grad
        #! b -= 0.1 * b.grad
        w.grad.zero_()
        b.grad.zero_()
