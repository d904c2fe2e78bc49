# expected: activation_twice
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Softmax(dim=1))  # here
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = torch.nn.CrossEntropyLoss()
x = torch.randn(30, 2)
label = torch.randint(0, 3, (30,))
for _ in range(10):
    optimizer.zero_grad()
    loss = criterion(model(x), label)
    loss.backward()
    optimizer.step()
