# expected: nothing
import numpy as np
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from torch import nn

rng = np.random.default_rng(2)
X = rng.normal(size=(200, 4)).astype(np.float32) * 4 + 1
y = (X[:, 0] * X[:, 1] / 16 + 0.1 * rng.normal(size=200)).astype(np.float32)


def run_fold(seed, tr, va):
    torch.manual_seed(seed)
    sc = StandardScaler()
    xa = torch.from_numpy(sc.fit_transform(X[tr]))
    xv = torch.from_numpy(sc.transform(X[va]))
    ya, yv = torch.from_numpy(y[tr])[:, None], torch.from_numpy(y[va])[:, None]
    net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    o = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        o.zero_grad()
        error = nn.functional.mse_loss(net(xa), ya)
        error.backward()
        o.step()
    net.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(net(xv), yv).item(), len(va)


sse, n = 0.0, 0
for fold, (tr, va) in enumerate(KFold(5, shuffle=True, random_state=0).split(X)):
    mse, k = run_fold(0, tr, va)
    sse += mse * k
    n += k
    print(fold, mse, "so far", sse / n)
print(sse / n)
