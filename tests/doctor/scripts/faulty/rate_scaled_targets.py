# expected: rate_too_large
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
year = torch.linspace(1990, 2020, 64).unsqueeze(1)
loader = DataLoader(TensorDataset(year, 3 * year), batch_size=16, shuffle=True)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)  # here
for _ in range(4):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
