# expected: weights_start_too_large
import torch

torch.manual_seed(0)
x = torch.randn(200, 40)
y = x[:, :3].sum(1, keepdim=True).sin()
net = torch.nn.Sequential(torch.nn.Linear(40, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1))
for layer in net:
    if isinstance(layer, torch.nn.Linear):
        torch.nn.init.normal_(layer.weight)  # here
        #! torch.nn.init.xavier_normal_(layer.weight)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for _ in range(6):
    for rows in torch.randperm(200).split(20):
        loss = torch.nn.functional.mse_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
