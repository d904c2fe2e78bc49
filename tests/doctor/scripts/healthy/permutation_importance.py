# expected: nothing
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
torch.manual_seed(0)
X = rng.normal(size=(240, 3)).astype("float32")
y = (2 * X[:, :1] - X[:, 1:2]).astype("float32")
Xt, yt = torch.from_numpy(X), torch.from_numpy(y)
net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), 0.01)
for epoch in range(100):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(Xt), yt)
    loss.backward()
    opt.step()
net.eval()
with torch.no_grad():
    base = nn.functional.mse_loss(net(Xt), yt).item()
    for j in range(3):
        total = 0.0
        for _ in range(4):
            Xs = X.copy()
            rng.shuffle(Xs[:, j])
            total += nn.functional.mse_loss(net(torch.from_numpy(Xs)), yt).item()
        print(j, total / 4 - base)
