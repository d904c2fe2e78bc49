# expected: scheduler_factor
import torch

torch.manual_seed(0)
x = torch.rand(120, 3)
y = (x.sum(1) > 1.5).long()
net = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
schedule = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.2 * 0.9**epoch)  # here
#! schedule = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.9)
for epoch in range(12):
    for rows in torch.randperm(120).split(30):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    schedule.step()
