# expected: shape_broadcast
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
y = x[:, 0]
for _ in range(10):
    optimizer.zero_grad()
    loss = ((model(x) - y) ** 2).mean()  # here
    loss.backward()
    optimizer.step()
