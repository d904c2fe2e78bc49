# expected: test_statistics
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X = np.random.default_rng(1).normal(5, 3, (200, 6))
y = (X[:, 0] > X[:, 1]).astype("int64")
X = StandardScaler().fit_transform(X).astype("float32")  # here
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
#! X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
#! scaler = StandardScaler().fit(X_train)
#! X_train, X_test = scaler.transform(X_train).astype("float32"), scaler.transform(X_test).astype("float32")
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
xt, yt = torch.from_numpy(X_train), torch.from_numpy(y_train)
for _ in range(40):
    opt.zero_grad()
    F.cross_entropy(net(xt), yt).backward()
    opt.step()
net.eval()
with torch.no_grad():
    print((net(torch.from_numpy(X_test)).argmax(1) == torch.from_numpy(y_test)).float().mean())
