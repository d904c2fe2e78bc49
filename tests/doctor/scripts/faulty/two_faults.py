# expected: not_zeroed shape_broadcast
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
x = torch.randn(30, 2)
y = x[:, 0]
for _ in range(10):
    loss = ((y - model(x)) ** 2).mean()
    loss.backward()  # here
    optimizer.step()
