# expected: nothing
import torch

torch.manual_seed(0)
positions = torch.nn.Parameter(torch.randn(12))
wanted = (torch.arange(12.0).unsqueeze(1) - torch.arange(12.0)).abs()
optimizer = torch.optim.Adam([positions], lr=0.1)
for _ in range(60):
    optimizer.zero_grad()
    found = (positions.unsqueeze(1) - positions).square().add(1e-6).sqrt()
    loss = (found - wanted).square().mean()
    loss.backward()
    optimizer.step()
