# expected: inputs_unscaled
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)

pixels = torch.randint(0, 256, (600, 1, 8, 8), dtype=torch.uint8)
labels = (pixels.float()[:, 0, :4].mean((1, 2)) > pixels.float()[:, 0, 4:].mean((1, 2))).long()
images = pixels.float() / 255


class Images(torch.utils.data.Dataset):
    def __len__(self):
        return len(images)

    def __getitem__(self, index):
        return images[index] / 255, labels[index]  # wrong
        #! return images[index], labels[index]


loader = torch.utils.data.DataLoader(Images(), batch_size=50, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(xb), yb)  # here
        #! loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
