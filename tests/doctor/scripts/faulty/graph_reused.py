# expected: graph_reused
import torch

x = torch.arange(10.0)
w = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.01)
loss = ((w * x - 2 * x) ** 2).mean()
for _ in range(5):
    optimizer.zero_grad()
    loss.backward()  # here
    optimizer.step()
