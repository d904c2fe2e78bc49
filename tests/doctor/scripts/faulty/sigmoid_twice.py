# expected: activation_twice
import torch

torch.manual_seed(0)
w = torch.zeros(2, 1, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)
x = torch.randn(30, 2)
y = (x[:, :1] > 0).float()
for _ in range(10):
    optimizer.zero_grad()
    chance = torch.sigmoid(x @ w)  # here
    loss = torch.nn.functional.binary_cross_entropy_with_logits(chance, y)
    loss.backward()
    optimizer.step()
