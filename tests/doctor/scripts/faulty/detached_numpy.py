# expected: detached_loss
import numpy as np
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(30, 2)
for _ in range(10):
    optimizer.zero_grad()
    prediction = model(x).detach().numpy()  # here
    loss = torch.from_numpy(np.square(prediction)).mean()
    loss.requires_grad_()
    loss.backward()
    optimizer.step()
