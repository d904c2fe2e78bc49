# expected: nothing
import torch

torch.manual_seed(0)
x = torch.randn(60, 2)
y = (x[:, 0] > 0).float()
for fold in range(3):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    kept = torch.arange(60) % 3 != fold
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x[kept]).squeeze(1), y[kept])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(fold, ((model(x[~kept]).squeeze(1) > 0) == y[~kept]).float().mean().item())
