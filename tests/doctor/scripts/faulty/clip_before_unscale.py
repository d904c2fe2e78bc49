# expected: clipped_before_unscale
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 4)
y = x[:, :1]
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu")
for epoch in range(30):
    opt.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        loss = F.mse_loss(net(x), y)
    scaler.scale(loss).backward()
    #! scaler.unscale_(opt)
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)  # here
    #! nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    scaler.step(opt)
    scaler.update()
