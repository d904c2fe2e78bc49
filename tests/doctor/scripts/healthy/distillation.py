# expected: nothing
import copy

import torch

torch.manual_seed(0)
student = torch.nn.Linear(4, 3)
teacher = copy.deepcopy(student)
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
x = torch.randn(40, 4)
label = torch.randint(0, 3, (40,))
for _ in range(20):
    with torch.no_grad():
        goal = torch.softmax(teacher(x), dim=1)
    scores = student(x)
    loss = torch.nn.functional.cross_entropy(scores, label)
    loss = loss + torch.nn.functional.kl_div(torch.log_softmax(scores, dim=1), goal, reduction="batchmean")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(teacher.parameters(), student.parameters()):
            slow.mul_(0.9).add_(fast, alpha=0.1)
