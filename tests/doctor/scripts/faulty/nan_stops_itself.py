# expected: first_nan
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = 100 + torch.randn(40, 2)
for _ in range(5):
    optimizer.zero_grad()
    loss = torch.exp(model(x).square()).mean()  # here
    if not torch.isfinite(loss):
        break
    loss.backward()
    optimizer.step()
