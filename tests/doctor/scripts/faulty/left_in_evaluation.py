# expected: left_in_evaluation
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
model.train()
for epoch in range(4):
    for batch in x.split(10):
        optimizer.zero_grad()
        loss = (model(batch) - batch[:, :1]).square().mean()
        loss.backward()
        optimizer.step()
    model.eval()  # here
    with torch.no_grad():
        print(model(x).mean().item())
