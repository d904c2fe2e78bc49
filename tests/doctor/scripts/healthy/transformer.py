# expected: nothing
import torch
from torch import nn

torch.manual_seed(0)
body = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1, enable_nested_tensor=False)
head = nn.Linear(8, 4)
optimizer = torch.optim.AdamW([*body.parameters(), *head.parameters()], lr=1e-3)
x = torch.randn(6, 5, 8)
label = torch.randint(0, 4, (6, 5))
mask = nn.Transformer.generate_square_subsequent_mask(5)
for _ in range(8):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(head(body(x, mask=mask)).flatten(0, 1), label.flatten())
    loss.backward()
    optimizer.step()
body.eval()
with torch.inference_mode():
    head(body(x)).argmax(dim=-1)
