# expected: nothing
import torch

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).eval()
goal = network(torch.randn(1, 5)).detach()
image = torch.zeros(1, 5, requires_grad=True)
optimizer = torch.optim.Adam([image], lr=0.05)
for _ in range(25):
    optimizer.zero_grad()
    loss = (network(image) - goal).square().sum()
    loss.backward()
    optimizer.step()
