# expected: not_zeroed
import torch

torch.manual_seed(0)
first, second = torch.nn.Linear(2, 4), torch.nn.Linear(4, 1)
opt_a = torch.optim.SGD(first.parameters(), lr=0.01)
opt_b = torch.optim.SGD(second.parameters(), lr=0.01)
x = torch.randn(30, 2)
for _ in range(10):
    opt_a.zero_grad()
    loss = (second(first(x)) - x[:, :1]).square().mean()
    loss.backward()  # here
    opt_a.step()
    opt_b.step()
