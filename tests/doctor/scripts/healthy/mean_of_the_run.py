# expected: nothing
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(256, 4)).astype("float32")
y = np.sin(x[:, 0]).astype("float32")
split = int(0.8 * len(x))
train_x, test_x, train_y, test_y = x[:split], x[split:], y[:split], y[split:]
m, s = train_x.mean(axis=0), train_x.std(axis=0) + 1e-8
train_x = (train_x - m) / s
test_x = (test_x - m) / s
net = nn.Sequential(nn.Linear(4, 32), nn.SiLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
total_loss, count = 0.0, 0
for epoch in range(15):
    perm = np.random.permutation(len(train_x))
    train_x = train_x[perm]
    train_y = train_y[perm]
    for i in range(0, len(train_x), 32):
        xb = torch.from_numpy(train_x[i : i + 32])
        yb = torch.from_numpy(train_y[i : i + 32]).unsqueeze(1)
        loss = nn.functional.smooth_l1_loss(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total_loss += loss.item()
        count += 1
print("mean loss of the whole run", total_loss / count)
with torch.no_grad():
    print(
        float(nn.functional.mse_loss(net(torch.from_numpy(test_x)), torch.from_numpy(test_y)[:, None]) / test_y.var())
    )
