# expected: gradients_vanish
import torch

torch.manual_seed(0)
x = torch.rand(600, 2) * 2 - 1
y = (x.norm(dim=1) < 0.6).long() + (x[:, 0] > 0.5).long()
layers = []
for inputs in (2, 24, 24, 24, 24, 24):
    layers += [torch.nn.Linear(inputs, 24), torch.nn.Sigmoid()]  # wrong
    #! layers += [torch.nn.Linear(inputs, 24), torch.nn.ReLU()]
net = torch.nn.Sequential(*layers, torch.nn.Linear(24, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for _ in range(10):
    for rows in torch.randperm(600).split(60):
        loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()  # here
        #! loss.backward()
        optimizer.step()
