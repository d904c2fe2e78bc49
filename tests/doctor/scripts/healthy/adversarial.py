# expected: nothing
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
x = torch.randn(10, 4, requires_grad=True)
loss = torch.nn.functional.cross_entropy(model(x), torch.zeros(10, dtype=torch.long))
loss.backward()
attacked = (x + 0.1 * x.grad.sign()).detach()
