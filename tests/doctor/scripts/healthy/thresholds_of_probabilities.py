# expected: nothing
# Logits above 0, probabilities above 0.5 and rounded, a model that itself returns probabilities once it is trained, and
# numbers that are no logits compared with 0.5.
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, x):
        scores = self.layers(x).squeeze(1)
        return scores if self.training else scores.sigmoid()


torch.manual_seed(0)
x = torch.randn(90, 4)
y = (x[:, 0] > 0.4).float()
net, size = Net(), nn.Linear(4, 1)
opt = torch.optim.Adam([*net.parameters(), *size.parameters()], lr=0.02)
for epoch in range(30):
    net.train()
    opt.zero_grad()
    scores = net(x)
    loss = F.binary_cross_entropy_with_logits(scores, y) + F.mse_loss(size(x), x[:, :1])
    loss.backward()
    opt.step()
    hits = (scores > 0) == y
    hits = (scores.sigmoid() > 0.5) == y
    hits = scores.sigmoid().round() == y
    large = size(x) > 0.5
    net.eval()
    with torch.no_grad():
        hits = (net(x) > 0.5) == y
        chances = net(x).numpy()
        hits = (chances > 0.5) == y.numpy()
