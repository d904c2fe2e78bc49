# expected: wrong_parameters
import torch

torch.manual_seed(0)
encoder, decoder = torch.nn.Linear(4, 2), torch.nn.Linear(2, 4)
optimizer = torch.optim.Adam(decoder.parameters(), lr=0.01)  # here
x = torch.randn(40, 4)
for _ in range(10):
    optimizer.zero_grad()
    loss = (decoder(encoder(x)) - x).square().mean()
    loss.backward()
    optimizer.step()
