# expected: wrong_parameters
import torch

torch.manual_seed(0)
student, teacher = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(student.parameters(), lr=0.01)  # here
x = torch.randn(30, 2)
for _ in range(10):
    teacher.zero_grad()
    loss = (teacher(x) - x[:, :1]).square().mean()
    loss.backward()
    optimizer.step()
