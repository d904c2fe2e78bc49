# expected: detached_loss
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(8, 2)
for _ in range(3):
    optimizer.zero_grad()
    errors = [float((model(row) - row[0]) ** 2) for row in x]  # here
    loss = torch.tensor(errors, requires_grad=True).mean()
    loss.backward()
    optimizer.step()
