# expected: nothing
import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.mean, self.log_variance = nn.Linear(6, 8), nn.Linear(8, 2), nn.Linear(8, 2)
        self.decode = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 6), nn.Sigmoid())

    def forward(self, x):
        hidden = torch.relu(self.encode(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decode(code), mean, log_variance


torch.manual_seed(0)
model = Autoencoder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
x = torch.rand(32, 6)
for _ in range(15):
    optimizer.zero_grad()
    again, mean, log_variance = model(x)
    loss = nn.functional.binary_cross_entropy(again, x, reduction="sum")
    loss = loss - 0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    loss.backward()
    optimizer.step()
