# expected: nothing
import torch

torch.manual_seed(0)
trunk, left, right = torch.nn.Linear(3, 8), torch.nn.Linear(8, 1), torch.nn.Linear(8, 1)
optimizer = torch.optim.RMSprop([*trunk.parameters(), *left.parameters(), *right.parameters()], lr=0.005)
x = torch.randn(40, 3)
for _ in range(20):
    optimizer.zero_grad()
    hidden = torch.tanh(trunk(x))
    torch.nn.functional.mse_loss(left(hidden), x[:, :1]).backward(retain_graph=True)
    torch.nn.functional.mse_loss(right(hidden), x[:, 1:2]).backward()
    optimizer.step()
