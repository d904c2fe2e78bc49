# expected: wrong_parameters
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.rand(100, 12)
encoder = nn.Sequential(nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 3))
decoder = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 12))
optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)  # here
#! optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
for epoch in range(30):
    optimizer.zero_grad()
    loss = F.mse_loss(decoder(encoder(x)), x)
    loss.backward()
    optimizer.step()
