# expected: detached_loss
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
with torch.no_grad():
    for _ in range(10):
        optimizer.zero_grad()
        prediction = model(x)  # here
        loss = (prediction - x[:, :1]).square().mean()
        loss.backward()
        optimizer.step()
