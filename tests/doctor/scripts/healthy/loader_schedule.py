# expected: nothing
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(96, 5)
y = (x @ torch.arange(5.0)).unsqueeze(1)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, num_workers=0)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)
running = 0.0
for epoch in range(5):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
        running += loss.item()
    scheduler.step()
