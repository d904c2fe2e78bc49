# expected: nothing
import torch
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(20, 3)
y = x.sum(dim=1)


def loss_of_row(parameters, row, target):
    return (functional_call(model, parameters, (row.unsqueeze(0),)).squeeze() - target) ** 2


slopes = vmap(grad(loss_of_row), in_dims=(None, 0, 0))
for _ in range(15):
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    found = slopes(parameters, x, y)
    for name, parameter in model.named_parameters():
        parameter.grad = found[name].clamp(-1, 1).mean(dim=0)
    optimizer.step()
