# expected: scheduler_factor
import torch

torch.manual_seed(0)
x = torch.randn(200, 4)
y = x @ torch.tensor([1.0, -2.0, 0.5, 0.0]) + 0.1 * torch.randn(200)
net = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)


def rate_at(epoch):  # wrong
    return 2e-3 * min(1.0, (epoch + 1) / 5)  # wrong


#! def rate_at(epoch):
#!     return min(1.0, (epoch + 1) / 5)


warm = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_at)  # here
#! warm = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_at)
for epoch in range(15):
    for rows in torch.randperm(200).split(40):
        loss = torch.nn.functional.mse_loss(net(x[rows])[:, 0], y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    warm.step()
