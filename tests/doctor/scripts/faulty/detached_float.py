# expected: detached_loss
import torch

w = torch.zeros(1, requires_grad=True)
loss = ((w - 1) ** 2).mean().item()
loss.backward()  # here
