# expected: nothing
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(200, 5)
y = x[:, :2].argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
swa = AveragedModel(net)
swa_schedule = SWALR(opt, swa_lr=0.05)
for epoch in range(10):
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(net(xb), yb).backward()
        opt.step()
    if epoch >= 5:
        swa.update_parameters(net)
        swa_schedule.step()
update_bn(loader, swa)
swa.eval()
with torch.no_grad():
    print((swa(x).argmax(1) == y).float().mean().item())
