# expected: first_nan
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(40, 2)
for _ in range(5):
    optimizer.zero_grad()
    rate = model(x)
    loss = (rate - torch.log(rate)).mean()  # here
    loss.backward()
    optimizer.step()
