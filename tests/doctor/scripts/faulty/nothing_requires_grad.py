# expected: detached_loss
import torch

w = torch.zeros(1)
x = torch.arange(10.0)
loss = ((w * x - 2 * x) ** 2).mean()
loss.backward()  # here
