# expected: metric_never_reset
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def main():
    x = torch.randn(200, 5)
    y = x.sum(1, keepdim=True)
    loader = DataLoader(TensorDataset(x, y), batch_size=25, shuffle=True)
    net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    running = 0.0
    for epoch in range(8):
        #! running = 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = F.mse_loss(net(xb), yb)
            loss.backward()
            opt.step()
            running += loss.item()  # here
            #! running += loss.item()
        print(f"epoch {epoch}: loss {running / len(loader):.4f}")


main()
