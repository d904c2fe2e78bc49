# expected: nothing
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(40):
    t = torch.rand(32, 1, requires_grad=True)
    u = net(t)
    (slope,) = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)
    start = net(torch.zeros(1, 1))
    loss = (slope + u).square().mean() + (start - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
