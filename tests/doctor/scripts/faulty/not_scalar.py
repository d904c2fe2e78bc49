# expected: loss_not_scalar
import torch

w = torch.zeros(1, requires_grad=True)
loss = (w * torch.arange(5.0) - 1) ** 2
loss.backward()  # here
