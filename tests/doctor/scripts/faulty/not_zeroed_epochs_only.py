# expected: not_zeroed
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(60, 3)
for epoch in range(4):
    optimizer.zero_grad()
    for batch in x.split(20):
        loss = (model(batch) - batch.sum(dim=1, keepdim=True)).square().mean()
        loss.backward()  # here
        optimizer.step()
