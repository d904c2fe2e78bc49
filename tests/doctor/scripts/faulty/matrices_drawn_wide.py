# expected: weights_start_too_large
import torch

torch.manual_seed(0)
x = torch.randn(300, 60)
y = x[:, :4].argmax(1)
w1 = torch.randn(60, 80).requires_grad_()  # here
#! w1 = (0.13 * torch.randn(60, 80)).requires_grad_()
b1 = torch.zeros(80, requires_grad=True)
w2 = torch.randn(80, 4).requires_grad_()  # wrong
#! w2 = (0.11 * torch.randn(80, 4)).requires_grad_()
optimizer = torch.optim.SGD([w1, b1, w2], lr=0.02)
for _ in range(6):
    for rows in torch.randperm(300).split(30):
        loss = torch.nn.functional.cross_entropy(torch.tanh(x[rows] @ w1 + b1) @ w2, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
