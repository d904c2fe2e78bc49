# expected: nothing
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = torch.nn.CrossEntropyLoss()
x = torch.randn(90, 2)
label = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
for _ in range(60):
    model.zero_grad()
    loss = criterion(model(x), label)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        accuracy = (model(x).argmax(dim=1) == label).float().mean().item()
