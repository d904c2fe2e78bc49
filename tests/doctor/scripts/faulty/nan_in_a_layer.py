# expected: first_nan
import torch


class Entropy(torch.nn.Module):
    def forward(self, chances):
        return -(chances * torch.log(chances)).sum(dim=1).mean()  # here


torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), Entropy())
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(20, 2)
for _ in range(3):
    optimizer.zero_grad()
    loss = model(x)
    loss.backward()
    optimizer.step()
