# expected: nothing
import math

import torch

torch.manual_seed(0)
x = torch.randn(200, 3)
y = x.sum(1, keepdim=True) + 0.01 * torch.randn(200, 1)
net = torch.nn.Sequential(torch.nn.Linear(3, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
for epoch in range(20):
    for rows in torch.randperm(200).split(40):
        mean, log_variance = net(x[rows]).chunk(2, dim=1)
        # the likelihood of a density may be above 1, and so the loss below 0
        likelihood = -0.5 * ((y[rows] - mean).pow(2) / log_variance.exp() + log_variance + math.log(2 * math.pi))
        spread = (mean**2).mean() - mean.mean() ** 2
        loss = -likelihood.mean() + 1e-3 * spread
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        warm.step()
