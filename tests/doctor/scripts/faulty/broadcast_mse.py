# expected: shape_broadcast
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = torch.nn.MSELoss()
x = torch.randn(30, 2)
y = x.sum(dim=1)
for _ in range(10):
    optimizer.zero_grad()
    loss = criterion(model(x), y)  # here
    loss.backward()
    optimizer.step()
