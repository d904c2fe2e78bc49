# expected: nothing
import torch

x = torch.arange(0, 10, 0.1)
y = 2 * x
w = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([w], lr=0.001)
for _ in range(100):
    optimizer.zero_grad()
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    optimizer.step()
print(w.item())
