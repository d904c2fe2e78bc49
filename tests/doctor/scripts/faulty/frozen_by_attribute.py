# expected: attribute_without_effect
import torch

torch.manual_seed(0)
x = torch.randn(100, 6)
y = (x[:, 0] * x[:, 1] > 0).float()
features = torch.nn.Sequential(torch.nn.Linear(6, 24), torch.nn.ReLU())
head = torch.nn.Linear(24, 1)
net = torch.nn.Sequential(features, head)
for layer in features.children():
    layer.requires_grad = False  # here
    #! layer.requires_grad_(False)
optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.01)
for _ in range(30):
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x)[:, 0], y)
    loss.backward()
    optimizer.step()
