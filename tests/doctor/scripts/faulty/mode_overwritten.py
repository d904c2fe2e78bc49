# expected: attribute_without_effect
import torch

torch.manual_seed(0)
x = torch.randn(100, 6)
y = x[:, :3].argmax(1)
net = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.ReLU(), torch.nn.Linear(24, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(30):
    net.train = True  # here
    #! net.train()
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
