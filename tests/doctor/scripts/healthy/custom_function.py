# expected: nothing
import torch


class Clipped(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(-1, 1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * (x.abs() < 1)


torch.manual_seed(0)
w = (0.1 * torch.randn(3)).requires_grad_()
optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.5)
x = torch.randn(50, 3)
y = (x @ torch.tensor([0.3, -0.2, 0.1])).clamp(-1, 1)
for _ in range(30):
    optimizer.zero_grad()
    loss = (Clipped.apply(x @ w) - y).square().mean()
    loss.backward()
    optimizer.step()
