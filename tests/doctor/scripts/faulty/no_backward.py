# expected: no_backward
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
for _ in range(10):
    optimizer.zero_grad()
    loss = (model(x) - x[:, :1]).square().mean()
    optimizer.step()  # here
