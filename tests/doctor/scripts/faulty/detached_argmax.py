# expected: detached_loss
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
label = torch.randint(0, 3, (30,))
for _ in range(10):
    optimizer.zero_grad()
    chosen = model(x).argmax(dim=1).float()  # here
    loss = (chosen - label).square().mean()
    loss.backward()
    optimizer.step()
