# expected: no_gradient
import torch

torch.manual_seed(0)
encoder, decoder = torch.nn.Linear(4, 2), torch.nn.Linear(2, 4)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
x = torch.randn(40, 4)
for _ in range(10):
    optimizer.zero_grad()
    code = encoder(x).detach()  # here
    loss = (decoder(code) - x).square().mean()
    loss.backward()
    optimizer.step()
