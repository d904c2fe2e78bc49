# expected: nothing
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.head = nn.Linear(4 * 3 * 3, 2)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
x = torch.randn(32, 1, 8, 8)
label = (x.mean(dim=(1, 2, 3)) > 0).long()
for _ in range(20):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), label)
    loss.backward()
    optimizer.step()
