# expected: zeroed_before_step
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
for _ in range(10):
    optimizer.zero_grad()  # here
    loss = (model(x) - x[:, :1]).square().mean()
    optimizer.step()
    loss.backward()
