# expected: not_zeroed
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
x = torch.randn(40, 2)
y = x.sum(dim=1, keepdim=True)
for epoch in range(20):
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()  # here
    optimizer.step()
