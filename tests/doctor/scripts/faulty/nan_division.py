# expected: first_nan
import torch


def normalised(x):
    return (x - x.mean(dim=0)) / x.std(dim=0)  # here


torch.manual_seed(0)
x = torch.randn(40, 3)
x[:, 1] = 1.0
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(5):
    optimizer.zero_grad()
    loss = (model(normalised(x)) - x[:, :1]).square().mean()
    loss.backward()
    optimizer.step()
