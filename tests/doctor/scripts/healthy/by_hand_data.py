# expected: nothing
import torch

torch.manual_seed(0)
x, w = torch.randn(50, 3), torch.zeros(3, requires_grad=True)
y = x @ torch.tensor([1.0, -2.0, 0.5])
for _ in range(50):
    loss = (x @ w - y).square().mean()
    loss.backward()
    w.data -= 0.1 * w.grad.data
    w.grad = None
