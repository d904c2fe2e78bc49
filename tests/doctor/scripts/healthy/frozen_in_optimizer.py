# expected: nothing
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
model[0].load_state_dict({"weight": torch.randn(8, 4) / 2, "bias": torch.zeros(8)})  # trained elsewhere
model[0].requires_grad_(False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(50, 4)
y = x.mean(dim=1, keepdim=True)
for _ in range(20):
    optimizer.zero_grad(set_to_none=True)
    (model(x) - y).square().mean().backward()
    optimizer.step()
