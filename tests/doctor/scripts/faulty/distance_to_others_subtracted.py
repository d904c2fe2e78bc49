# expected: loss_without_bound
import torch

torch.manual_seed(0)
kind = torch.randint(0, 3, (240,))
x = torch.randn(3, 10)[kind] + 0.3 * torch.randn(240, 10)
net = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(150):
    first, second = torch.randperm(240)[:120], torch.randperm(240)[:120]
    same = (kind[first] == kind[second]).float()
    apart = (net(x[first]) - net(x[second])).pow(2).sum(1)
    loss = (same * apart).mean() - ((1 - same) * apart).mean()  # here
    #! loss = (same * apart).mean() + ((1 - same) * (1 - apart).clamp(min=0)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
