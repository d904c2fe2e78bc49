"""What the findings say, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from descend.doctor import examine
from descend.doctor.text import render

FAULTY = Path(__file__).parent / "scripts" / "faulty"
MESSAGES = {
    "not_zeroed_module": (
        "The gradients are not set to zero between steps: step 2 takes the sum of its own gradient and of "
        "one that an earlier step has used.",
        "`backward` adds to the gradients that are there, so steps point ever less where the loss falls.",
        "optimizer.zero_grad()   # before line 11: loss.backward()",
    ),
    "not_zeroed_by_hand": (
        "The gradients are not set to zero between steps: step 2 takes the sum of its own gradient and of "
        "one that an earlier step has used.",
        "`backward` adds to the gradients that are there, so steps point ever less where the loss falls.",
        "w.grad.zero_()   # before line 10: loss.backward()",
    ),
    "zeroed_before_step": (
        "The gradients are cleared before they are used: `optimizer.zero_grad()` runs between `backward` "
        "and `optimizer.step()`.",
        "Every step then finds no gradient, and no parameter moves.",
        "optimizer.zero_grad()\nloss.backward()\noptimizer.step()",
    ),
    "never_stepped": (
        "`optimizer` (SGD) never takes a step, though 10 backward passes gave its parameters gradients.",
        "Gradients alone change nothing: `step()` moves the parameters.",
        "optimizer.step()   # after the backward pass",
    ),
    "no_backward": (
        "`optimizer` takes 10 steps, but `backward` is never called.",
        "Without a backward pass there are no gradients, and a step changes nothing.",
        "loss.backward()   # before optimizer.step()",
    ),
    "unused_layer": (
        "`net.second.weight` and `net.second.bias` never get a gradient in 10 steps of `optimizer`.",
        "The loss does not depend on them: the forward pass leaves them out.",
        "Use them in forward(), or leave them out of the model.",
    ),
    "unused_embedding": (
        "`model.letters.weight` never gets a gradient in 6 steps of `optimizer`: line 13 runs under `torch.no_grad()`.",
        "No gradient gets past that place.",
        "Compute the loss outside `with torch.no_grad():`.",
    ),
    "dead_relu": (
        "The gradient of `net.0.weight`, `net.0.bias` and `net.2.weight` is exactly zero in all 10 steps: "
        "a ReLU is dead, it gives 0 for every input.",
        "Where a ReLU gives 0 its slope is 0 as well, so nothing before it can learn.",
        "torch.nn.LeakyReLU(0.01)   # or smaller starting values and biases, or scaled inputs",
    ),
    "zero_weights": (
        "The gradient of `a` and `b` is exactly zero in all 10 steps.",
        "They cannot move from where they start: the factors their gradient is multiplied with are 0.",
        "torch.nn.init.xavier_uniform_(w)   # start weights at small random values, not at 0",
    ),
    "stale_optimizer": (
        "`optimizer` steps parameters that the loss does not depend on: it holds `model.weight` and "
        "`model.bias` of an older model, but the gradients go to `model.bias` and `model.weight`.",
        "The model in use never changes.",
        "optimizer = torch.optim.SGD(model.parameters(), ...)   # after the model is final",
    ),
    "stale_copy": (
        "`optimizer` steps parameters that the loss does not depend on: it holds `template.0.weight`, "
        "`template.0.bias`, `template.2.weight` and `template.2.bias`, but the gradients go to "
        "`net.0.bias`, `net.0.weight`, `net.2.bias` and `net.2.weight`.",
        "The model in use never changes.",
        "optimizer = torch.optim.Adam(net.parameters(), ...)   # after the model is final",
    ),
    "forgotten_encoder": (
        "`encoder.bias` and `encoder.weight` get gradients but are in no optimizer.",
        "They keep their starting values, whatever the gradients say.",
        "optimizer.add_param_group({'params': encoder.parameters()})   # or requires_grad_(False), if they are to stay",
    ),
    "layers_in_a_list": (
        "`net.hidden[0].bias`, `net.hidden[0].weight`, `net.hidden[1].bias` and `net.hidden[1].weight` get "
        "gradients but are in no optimizer: `hidden` is a plain list or dict, and `parameters()` does not "
        "look into it.",
        "They keep their starting values, whatever the gradients say.",
        "self.hidden = torch.nn.ModuleList([...])   # or ModuleDict",
    ),
    "non_leaf": (
        "The optimizer is given a tensor that was computed from others, not a parameter.",
        "Gradients are kept only in leaves: tensors that are not the result of a computation.",
        "w = (0.1 * torch.randn(3)).requires_grad_()   # requires_grad last",
    ),
    "no_parameters": (
        "The optimizer is given no parameters: the model has registered none.",
        "Layers count only as attributes of a module; in a plain list or dict they are not seen.",
        "self.layers = torch.nn.ModuleList([...])",
    ),
    "rate_unscaled_column": (
        "The learning rate 0.01 is 15.6 times the largest stable one, 0.000643, and the loss grows from "
        "6378 to 2.191e+36 in 12 backward passes, then overflows.",
        "Beyond that limit each step overshoots the minimum by more than it was away from it.",
        "optimizer = torch.optim.SGD(..., lr=0.00032)   # half the limit; or scale the inputs",
    ),
    "rate_by_hand": (
        "The learning rate 0.02 is 2.1 times the largest stable one, 0.00952, and the loss grows from "
        "945.8 to 1.358e+17 in 15 backward passes.",
        "Beyond that limit each step overshoots the minimum by more than it was away from it.",
        "lr=0.0048   # half the limit",
    ),
    "rate_adam": (
        "With Adam and the learning rate 50 the loss grows from 3.87 to 1.631e+09 in 6 backward passes.",
        "Each step of Adam moves every parameter by up to about the learning rate, whatever the gradient.",
        "lr=0.001   # the default of Adam",
    ),
    "nan_loss_finite_gradients": (
        "`torch.log` makes the first NaN.",
        "It spreads to the loss: the gradients happen to be finite, but a step with them follows no loss.",
        "torch.log(x.clamp_min(1e-12))   # or a loss that takes logits",
    ),
    "nan_log": (
        "`torch.log` makes the first NaN.",
        "It spreads to the loss, and from there to every gradient and parameter.",
        "torch.log(x.clamp_min(1e-12))   # or a loss that takes logits",
    ),
    "nan_division": (
        "Division makes the first NaN.",
        "It spreads to the loss, and from there to every gradient and parameter.",
        "numerator / denominator.clamp_min(1e-12)",
    ),
    "nan_gradient_of_sqrt": (
        "The backward pass of `torch.sqrt` makes the first infinity, though the loss itself is finite.",
        "Its slope is not finite at these inputs, so the parameters become NaN at the next step.",
        "torch.sqrt(x.clamp_min(1e-12))   # its slope at 0 is infinite",
    ),
    "nan_in_data": (
        "The data are not finite: a NaN comes in at `functional.linear` in `model` (Linear).",
        "One such number makes the loss, then every gradient and parameter, NaN.",
        "rows = torch.isfinite(x).all(dim=-1)\nx, y = x[rows], y[rows]",
    ),
    "nan_masked_row": (
        "`torch.softmax` makes the first NaN out of an infinity made by `Tensor.masked_fill` at line 11.",
        "It spreads to the loss, and from there to every gradient and parameter.",
        "Leave at least one entry of each row unmasked.",
    ),
    "nan_in_a_layer": (
        "Multiplication in `model.2` (Entropy) makes the first NaN out of an infinity made by `torch.log` at line 7.",
        "It spreads to the loss, and from there to every gradient and parameter.",
        "torch.log(x.clamp_min(1e-12))   # or a loss that takes logits",
    ),
    "nan_adam_eps": (
        "`w` is not finite after step 1, though loss and gradients were finite before it.",
        "The step itself was too large for the numbers to hold, or divided by zero.",
        "A smaller learning rate; with Adam and its like, leave eps as it is.",
    ),
    "detached_item": (
        "`loss` is cut off from the parameters: line 10 turns it into a plain number with .item().",
        "No gradient gets past that place, so `backward` reaches no parameter.",
        "Keep tensors up to `backward`; take numbers only for what is printed.",
    ),
    "detached_data": (
        "`loss` is cut off from the parameters: line 10 takes `.data`.",
        "No gradient gets past that place, so `backward` reaches no parameter.",
        "Leave out .data where the loss is computed.",
    ),
    "detached_no_grad": (
        "`loss` is cut off from the parameters: line 11 runs under `torch.no_grad()`.",
        "No gradient gets past that place, so `backward` reaches no parameter.",
        "Compute the loss outside `with torch.no_grad():`.",
    ),
    "detached_argmax": (
        "`loss` is cut off from the parameters: line 11 uses `Tensor.argmax`, which has no slope.",
        "No gradient gets past that place, so `backward` reaches no parameter.",
        "Compute the loss from the scores or probabilities, and use this only to count hits.",
    ),
    "detached_numpy": (
        "`loss` is cut off from the parameters: line 11 hands it to NumPy, which records no graph.",
        "No gradient gets past that place, so `backward` reaches no parameter.",
        "Use torch functions where the loss is computed.",
    ),
    "detached_float": (
        "The loss is a plain number: it was taken out of its tensor, with item() or float().",
        "A number remembers no graph, so there is nothing to differentiate.",
        "Leave out .item() where the loss is computed.",
    ),
    "nothing_requires_grad": (
        "Nothing that `loss` is computed from requires a gradient.",
        "PyTorch records a graph only for tensors with requires_grad=True, as the parameters of a module have.",
        "w = torch.zeros(1, requires_grad=True)   # or, for frozen layers: model.requires_grad_(True)",
    ),
    "detached_new_tensor": (
        "The loss does not depend on what `optimizer` steps, `model.weight` and `model.bias`: line 10 "
        "turns it into a plain number with float().",
        "No gradient reaches them, so they never move.",
        "Keep tensors up to `backward`; take numbers only for what is printed.",
    ),
    "broadcast_difference": (
        "The prediction has the shape (30, 1) and the target (30,), so subtraction compares each of 30 "
        "predictions with all 30 targets.",
        "The loss then is least where every prediction is the mean of the targets.",
        "y = y.unsqueeze(1)   # both of the shape (30, 1)",
    ),
    "broadcast_mse": (
        "The prediction has the shape (30, 1) and the target (30,), so `functional.mse_loss` compares each "
        "of 30 predictions with all 30 targets.",
        "The loss then is least where every prediction is the mean of the targets.",
        "y = y.unsqueeze(1)   # both of the shape (30, 1)",
    ),
    "softmax_twice": (
        "`functional.cross_entropy` is given the result of `softmax`, which it applies itself.",
        "Applied twice, softmax flattens the scores: the loss cannot get near zero, and its gradient is small.",
        "Leave out the softmax, and give the loss the raw scores.",
    ),
    "left_in_evaluation": (
        "From step 4 on the model is trained in evaluation mode, in which dropout and batch normalisation "
        "do not work as in training.",
        "`model.eval()` lasts until `model.train()` is called.",
        "model.train()   # at the beginning of each epoch",
    ),
    "graph_reused": (
        "The graph of the loss is gone through a second time: part of it was computed once, before the "
        "loop, or carries over from the step before.",
        "A backward pass frees the graph, and gradients at old parameters would be stale in any case.",
        "Compute prediction and loss inside the loop; give on a hidden state with state.detach().",
    ),
    "leaf_in_place": (
        "A parameter is changed in place while PyTorch records.",
        "The step itself must not become a part of the graph.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    "rebound_parameter": (
        "The gradient is None where a step is taken by hand: the name no longer stands for a leaf.",
        "After w = w - rate * w.grad, w is a result of a computation, which keeps no gradient.",
        "with torch.no_grad():\n    w -= rate * w.grad",
    ),
    "not_scalar": (
        "`backward` is called on many numbers, not on one loss.",
        "There is one gradient for each number; a loss is their mean or sum.",
        "loss.mean().backward()",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name: str, recwarn: pytest.WarningsRecorder) -> None:
    (finding,) = examine(FAULTY / f"{name}.py").findings
    assert (finding.symptom, finding.why, finding.fix) == MESSAGES[name]


def test_the_whole_text(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text((FAULTY / "two_faults.py").read_text() + 'raise RuntimeError("after all")\n')
    assert render(examine(script)).splitlines() == [
        f"{script}: 2 problems found",
        "",
        "  not_zeroed   train.py:11: loss.backward()",
        "    The gradients are not set to zero between steps: step 2 takes the sum of its own gradient and of",
        "    one that an earlier step has used. `backward` adds to the gradients that are there, so steps",
        "    point ever less where the loss falls.",
        "    Evidence: step 2; norm left over 1.834; norm of this pass 1.829; norm of their sum 3.663; steps",
        "    with sums 9; steps 10; parameters model.weight, model.bias.",
        "    Fix:",
        "        optimizer.zero_grad()   # before line 11: loss.backward()",
        "",
        "  shape_broadcast   train.py:10: loss = ((y - model(x)) ** 2).mean()",
        "    The prediction has the shape (30, 1) and the target (30,), so subtraction compares each of 30",
        "    predictions with all 30 targets. The loss then is least where every prediction is the mean of",
        "    the targets.",
        "    Evidence: prediction 30, 1; target 30; differences 900.",
        "    Fix:",
        "        y = y.unsqueeze(1)   # both of the shape (30, 1)",
        "",
        "  RuntimeError: after all",
        '    train.py:13: raise RuntimeError("after all")',
        "",
        "  Watched: the script raised an error; 10 backward passes; 10 steps of SGD `optimizer`, learning",
        "    rate 0.001; loss 2.041 at first, 1.9 at last.",
    ]


def test_colour_only_where_asked_for() -> None:
    report = examine(FAULTY.parent / "healthy" / "adversarial.py")
    assert render(report).startswith(report.script)
    assert render(report, colour=True).startswith("\033[32m")
