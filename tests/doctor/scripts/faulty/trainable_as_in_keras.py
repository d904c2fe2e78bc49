# expected: attribute_without_effect
import torch

torch.manual_seed(0)
x = torch.randn(100, 6)
y = x[:, :3].argmax(1)
net = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.ReLU(), torch.nn.Linear(24, 3))
net[0].trainable = False  # here
#! net[0].requires_grad_(False)
optimizer = torch.optim.SGD([one for one in net.parameters() if one.requires_grad], lr=0.1)
for _ in range(30):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
