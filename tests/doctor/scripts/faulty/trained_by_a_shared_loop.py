# expected: trained_on_held_out_rows
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def run(model, loader, optimizer, training):
    model.train(training)
    total = 0.0
    for inputs, labels in loader:
        loss = F.cross_entropy(model(inputs), labels)
        #! if training:
        #!     optimizer.zero_grad()
        #!     loss.backward()
        #!     optimizer.step()
        optimizer.zero_grad()  # wrong
        loss.backward()  # wrong
        optimizer.step()  # wrong
        total += loss.item()
    return total / len(loader)


torch.manual_seed(0)
x = torch.randn(120, 4)
y = (x[:, 0] > 0).long()
loaders = {
    "train": DataLoader(TensorDataset(x[:80], y[:80]), batch_size=20, shuffle=True),
    "val": DataLoader(TensorDataset(x[80:], y[80:]), batch_size=20),
}
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    trained = run(net, loaders["train"], opt, True)
    validated = run(net, loaders["val"], opt, False)  # here
    #! validated = run(net, loaders["val"], opt, False)
    print(trained, validated)
