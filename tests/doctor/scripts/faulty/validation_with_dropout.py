# expected: evaluated_in_training_mode
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def validate(net, loader, criterion):
    total = 0.0
    #! net.eval()
    with torch.no_grad():
        for xb, yb in loader:
            total += criterion(net(xb), yb).item()  # here
            #! total += criterion(net(xb), yb).item()
    return total / len(loader)


x = torch.randn(300, 6)
y = x[:, :1].sin()
train = DataLoader(TensorDataset(x[:240], y[:240]), batch_size=40, shuffle=True)
test = DataLoader(TensorDataset(x[240:], y[240:]), batch_size=30)
net = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
criterion = nn.MSELoss()
for epoch in range(5):
    net.train()
    for xb, yb in train:
        opt.zero_grad()
        criterion(net(xb), yb).backward()
        opt.step()
    print(epoch, validate(net, test, criterion))
