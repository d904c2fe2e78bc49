# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(300, 4)
y = x @ torch.tensor([1.0, -2.0, 0.5, 3.0]) + 1
w, b = torch.zeros(4, requires_grad=True), torch.zeros(1, requires_grad=True)
for epoch in range(12):
    for rows in torch.randperm(300).split(50):
        loss = ((x[rows] @ w + b - y[rows]) ** 2).mean()
        gw, gb = torch.autograd.grad(loss, (w, b))
        with torch.no_grad():
            w -= 0.1 * gw
            b -= 0.1 * gb
