# expected: first_nan
import numpy as np
import torch

torch.manual_seed(0)
table = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
table[7, 2] = np.nan
x = torch.from_numpy(table)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(5):
    optimizer.zero_grad()
    loss = (model(x) - x[:, :1]).square().mean()  # here
    loss.backward()
    optimizer.step()
