# expected: nothing
import torch

torch.manual_seed(0)
body = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
head = torch.nn.Linear(8, 1)
for parameter in body.parameters():
    parameter.requires_grad = False
optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
x = torch.randn(50, 4)
y = x.norm(dim=1, keepdim=True)
for _ in range(40):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(head(body(x)), y)
    loss.backward()
    optimizer.step()
