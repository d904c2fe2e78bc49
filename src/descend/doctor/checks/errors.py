"""PyTorch errors that beginners meet, explained, with what to write instead."""

from __future__ import annotations

from descend.doctor.contract import Check
from descend.doctor.finding import Finding

KNOWN = (
    (
        "backward through the graph a second time",
        "graph_reused",
        "The graph of the loss is gone through a second time: part of it was computed once, before the loop, or "
        "carries over from the step before.",
        "A backward pass frees the graph, and gradients at old parameters would be stale in any case.",
        "Compute prediction and loss inside the loop; give on a hidden state with state.detach().",
    ),
    (
        "modified by an inplace operation",
        "changed_in_place",
        "A tensor that the backward pass needs was changed in place after it was used.",
        "PyTorch keeps such tensors, not copies, to compute gradients from.",
        "x = x + 1   # in the place of x += 1; and step the optimizer only after every backward pass",
    ),
    (
        "a leaf Variable that requires grad is being used in an in-place operation",
        "changed_in_place",
        "A parameter is changed in place while PyTorch records.",
        "The step itself must not become a part of the graph.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    (
        "can't optimize a non-leaf Tensor",
        "wrong_parameters",
        "The optimizer is given a tensor that was computed from others, not a parameter.",
        "Gradients are kept only in leaves: tensors that are not the result of a computation.",
        "w = (0.1 * torch.randn(3)).requires_grad_()   # requires_grad last",
    ),
    (
        "optimizer got an empty parameter list",
        "wrong_parameters",
        "The optimizer is given no parameters: the model has registered none.",
        "Layers count only as attributes of a module; in a plain list or dict they are not seen.",
        "self.layers = torch.nn.ModuleList([...])",
    ),
    (
        "grad can be implicitly created only for scalar outputs",
        "loss_not_scalar",
        "`backward` is called on many numbers, not on one loss.",
        "There is one gradient for each number; a loss is their mean or sum.",
        "loss.mean().backward()",
    ),
    (
        "'float' object has no attribute 'backward'",
        "detached_loss",
        "The loss is a plain number: it was taken out of its tensor, with item() or float().",
        "A number remembers no graph, so there is nothing to differentiate.",
        "Leave out .item() where the loss is computed.",
    ),
    (
        "Can't call numpy() on Tensor that requires grad",
        "detached_loss",
        "A tensor with a gradient is handed to NumPy.",
        "NumPy records no graph: what is computed there has no gradient.",
        "Use torch functions in the loss; for plots and prints: tensor.detach().numpy()",
    ),
    (
        "unsupported operand type(s) for *: 'float' and 'NoneType'",
        "no_gradient",
        "The gradient is None where a step is taken by hand: the name no longer stands for a leaf.",
        "After w = w - rate * w.grad, w is a result of a computation, which keeps no gradient.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
)
"""Part of the message, the name of the finding, what happens, why, and what to write."""


class Errors(Check):
    """Explains the error that ended the script, where it is a known one."""

    def explains(self, error: BaseException) -> bool:
        return any(part in str(error) for part, *_ in KNOWN)

    def findings(self) -> list[Finding]:
        error = self.ledger.error
        if error is None:
            return []
        lines = self.ledger.scene.lines(error.__traceback__)
        for part, name, sentence, why, fix in KNOWN:
            if part in str(error):
                return [Finding(name, sentence, why, fix, lines[-1] if lines else None)]
        return []
