# expected: nothing
# Weights copied, and read from a file; gradients of inputs of the test set; a temperature fitted to validation rows; an
# average of weights kept in place; the validation loss computed, with a graph, between backward pass and step.
import copy
import io

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(160, 4)
y = (x[:, 0] + 0.5 * torch.randn(160) > 0).long()
train_loader = DataLoader(TensorDataset(x[:80], y[:80]), batch_size=20, shuffle=True)
val_loader = DataLoader(TensorDataset(x[80:120], y[80:120]), batch_size=20)
x_test, y_test = x[120:].clone().requires_grad_(), y[120:]
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
average = copy.deepcopy(net)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
temperature = nn.Parameter(torch.ones(()))
scaling = torch.optim.SGD([temperature], lr=0.1)
best, file = float("inf"), io.BytesIO()
for epoch in range(6):
    for inputs, labels in train_loader:
        opt.zero_grad()
        F.cross_entropy(net(inputs), labels).backward()
        watched = F.cross_entropy(net(x[80:120]), y[80:120])
        opt.step()
        state = average.state_dict()
        for name, value in net.state_dict().items():
            state[name].mul_(0.9).add_(value, alpha=0.1)
        average.load_state_dict(state)
    with torch.no_grad():
        loss = sum(F.cross_entropy(net(inputs), labels).item() for inputs, labels in val_loader)
    if loss < best:
        best, kept = loss, copy.deepcopy(net.state_dict())
        file.seek(0)
        torch.save(net.state_dict(), file)
    for inputs, labels in val_loader:
        scaling.zero_grad()
        F.cross_entropy(net(inputs).detach() * temperature, labels).backward()
        scaling.step()
    F.cross_entropy(net(x_test), y_test).backward()
net.load_state_dict(kept)
file.seek(0)
net.load_state_dict(torch.load(file))
