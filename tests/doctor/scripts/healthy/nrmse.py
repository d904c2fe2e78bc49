# expected: nothing
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
rng = np.random.default_rng(0)
X = rng.normal(3, 5, size=(300, 4))
y = X @ np.array([1.0, -2, 0.5, 0]) + rng.normal(size=300)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
y_mean, y_std = y_train.mean(), y_train.std()


def t(a):
    return torch.tensor(a, dtype=torch.float32)


X_train, X_test, y_train, y_test = t(X_train), t(X_test), t((y_train - y_mean) / y_std), t((y_test - y_mean) / y_std)
X_fit, X_val = X_train[:180], X_train[180:]
y_fit, y_val = y_train[:180], y_train[180:]
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(80):
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(X_fit).squeeze(-1), y_fit)
    loss.backward()
    opt.step()
    with torch.no_grad():
        val_pred = net(X_val).squeeze(-1)
        r2 = 1 - ((val_pred - y_val) ** 2).sum() / ((y_val - y_val.mean()) ** 2).sum()
with torch.no_grad():
    pred = net(X_test).squeeze(-1)
nrmse = ((pred - y_test) ** 2).mean().sqrt() / (y_test.max() - y_test.min())
z = (pred - y_test) / y_test.std()
r2 = 1 - (pred - y_test).var() / y_test.var()
test_scores = (pred - y_test).abs()
test_scores = (test_scores - test_scores.mean()) / test_scores.std()
print(nrmse.item(), z.abs().mean().item(), r2.item(), test_scores.max().item())
