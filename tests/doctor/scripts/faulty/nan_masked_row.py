# expected: first_nan
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 4)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(3, 4)
mask = torch.tensor([[True, True, False, False], [True, False, False, False], [False, False, False, False]])
for _ in range(3):
    optimizer.zero_grad()
    scores = model(x).masked_fill(~mask, float("-inf"))
    chances = torch.softmax(scores, dim=1)  # here
    loss = (chances - 0.25).square().mean()
    loss.backward()
    optimizer.step()
