# expected: first_nan
import torch

torch.manual_seed(0)
w = torch.tensor([0.5, -0.5], requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
for _ in range(3):
    optimizer.zero_grad()
    z = x @ w
    loss = torch.where(z > 0, z.sqrt(), z).sum()  # here
    loss.backward()
    optimizer.step()
