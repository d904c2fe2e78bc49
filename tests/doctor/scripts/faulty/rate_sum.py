# expected: rate_too_large
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)  # here
x = torch.randn(500, 4)
y = x.square().sum(dim=1, keepdim=True)
for _ in range(30):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y, reduction="sum")
    loss.backward()
    optimizer.step()
