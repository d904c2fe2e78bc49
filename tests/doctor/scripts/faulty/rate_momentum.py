# expected: rate_too_large
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=2.5, momentum=0.9)  # here
x = torch.randn(60, 3)
y = x.sum(dim=1, keepdim=True)
for _ in range(40):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
