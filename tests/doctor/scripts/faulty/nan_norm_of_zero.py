# expected: first_nan
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 2, bias=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.cat([torch.randn(9, 2), torch.zeros(1, 2)])
for _ in range(4):
    optimizer.zero_grad()
    length = (model(x) ** 2).sum(dim=1) ** 0.5  # here
    loss = (length - 1).square().mean()
    loss.backward()
    optimizer.step()
