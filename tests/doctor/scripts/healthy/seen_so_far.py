# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(240, 5)
y = x[:, :2].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
seen, steps, history = 0, 0, []
smoothed = None
for epoch in range(6):
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
        seen += len(xb)
        steps += 1
        smoothed = loss.item() if smoothed is None else 0.9 * smoothed + 0.1 * loss.item()
        history.append(loss.item())
    print(f"epoch {epoch}, {seen} rows, {steps} steps, loss {smoothed:.3f}, mean {sum(history) / len(history):.3f}")
