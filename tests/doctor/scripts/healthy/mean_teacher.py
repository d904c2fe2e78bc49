# expected: nothing
import copy

import torch
from torch import nn

torch.manual_seed(0)

x = torch.randn(80, 4)
y = x[:20, :2].argmax(1)
student = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
teacher = copy.deepcopy(student).requires_grad_(False)
opt = torch.optim.Adam(student.parameters(), lr=0.01)
for _ in range(20):
    with torch.no_grad():
        soft = teacher(x).softmax(1)
    opt.zero_grad()
    scores = student(x)
    loss = nn.functional.cross_entropy(scores[:20], y) + nn.functional.mse_loss(scores.softmax(1), soft)
    loss.backward()
    opt.step()
    with torch.no_grad():
        for slow, fast in zip(teacher.parameters(), student.parameters()):
            slow.lerp_(fast, 0.1)
print(loss.item(), (soft.max(1).values > 0.9).float().mean().item())
