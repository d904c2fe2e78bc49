# expected: labels_sorted
import torch

torch.manual_seed(0)
x = torch.randn(240, 4)
y = (x @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]])) + 0.2 * torch.randn(240, 1)
order = y[:, 0].argsort()
x, y = x[order], y[order]
net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(3):
    #! order = torch.randperm(240)
    #! x, y = x[order], y[order]
    for start in range(0, 240, 20):
        rows, sizes = x[start : start + 20], y[start : start + 20]  # here
        #! rows, sizes = x[start : start + 20], y[start : start + 20]
        optimizer.zero_grad()
        loss = ((net(rows) - sizes) ** 2).mean()
        loss.backward()
        optimizer.step()
