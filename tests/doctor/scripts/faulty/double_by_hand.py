# expected: input_dtype
import numpy as np
import torch

torch.manual_seed(0)

x = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 4)))  # wrong
#! x = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 4))).float()
y = x[:, :1] * 2
w = torch.zeros(4, 1, requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)
for _ in range(10):
    opt.zero_grad()
    loss = (x @ w - y).square().mean()  # here
    #! loss = (x @ w - y).square().mean()
    loss.backward()
    opt.step()
