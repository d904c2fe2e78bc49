"""What listens to the passes of a module, and tells the metrics that were asked for after each epoch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.losses import Loss
from descend.losses.classes import cells_of
from descend.losses.several import Heads, Several, in_order
from descend.models.module import ModuleModel
from descend.training.metrics import METRICS, Metric
from descend.training.tallies import Everything, Seen, Tally

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
AT_ONCE = 1 << 22
"""Predictions of this many numbers wait on the device of the module before they are counted."""
HELD_BACK = "validation_"
"""What the name of a measure over the rows that are held back begins with."""


class Measure(Protocol):
    """One metric or several, while rows are counted."""

    def add(self, seen: Seen, model: ModuleModel) -> None:
        """Count some rows in."""

    def result(self, model: ModuleModel) -> Iterator[tuple[str, object]]:
        """Yield names and values, and begin anew."""

    def higher(self, name: str) -> bool | None:
        """Whether more of a metric is better; None if it is not among these, or nobody knows."""


@dataclass
class Ours:
    """Metrics of ours by name, and what they count, which some of them share."""

    metrics: Mapping[str, Metric]
    tallies: dict[type[Tally], Tally] = field(default_factory=dict)

    def add(self, seen: Seen, model: ModuleModel) -> None:
        if not self.tallies:
            for name, metric in self.metrics.items():
                if metric.of_classes != (seen.probabilities is not None):
                    raise ConfigError(_other(name, metric.of_classes, model.loss))
                self.tallies.setdefault(metric.tally, metric.tally())
        for tally in self.tallies.values():
            tally.add(seen)

    def result(self, model: ModuleModel) -> Iterator[tuple[str, object]]:
        tallies, self.tallies = self.tallies, {}
        yield from ((name, metric.value(tallies[metric.tally])) for name, metric in self.metrics.items())

    def higher(self, name: str) -> bool | None:
        return self.metrics[name].higher if name in self.metrics else None


def _other(name: str, of_classes: bool, loss: Loss) -> str:
    """Say why a metric does not go with what a module predicts."""
    if of_classes and loss.two_levels:
        return f"The metric `{name}` is of classes, so y must be 0 or 1; it holds shares."
    is_of, has = ("classes", "numbers") if of_classes else ("numbers", "classes")
    others = ", ".join(known for known in METRICS if METRICS[known].of_classes != of_classes)
    return (
        f"The metric `{name}` is of {is_of}, and under the {loss.shown} loss a module predicts {has}. Use one of: "
        f"{others}."
    )


@dataclass
class Function:
    """Any function of y and the prediction, both as the data have them: of classes, words or numbers."""

    name: str
    function: Callable[[object, object], object]
    tally: Everything = field(default_factory=Everything)

    def add(self, seen: Seen, model: ModuleModel) -> None:
        self.tally.add(seen)

    def result(self, model: ModuleModel) -> Iterator[tuple[str, object]]:
        seen, self.tally = self.tally.seen, Everything()
        y, prediction = _as_given(seen.y, model), _as_given(seen.prediction, model)
        try:
            yield self.name, self.function(y, prediction)
        except (TypeError, ValueError, IndexError, RuntimeError, AttributeError) as error:
            raise ConfigError(
                f"The metric `{self.name}` cannot take y of shape {y.shape} ({y.dtype}) and a prediction of shape "
                f"{prediction.shape} ({prediction.dtype}): {_first_line(error)}. It is called as metric(y, prediction)."
            ) from error

    def higher(self, name: str) -> bool | None:
        return None


@runtime_checkable
class OfTorchmetrics(Protocol):
    """A metric of torchmetrics, or one like it."""

    def update(self, preds: Tensor, target: Tensor) -> object:
        """Count some rows in."""

    def compute(self) -> object:
        """Return the metric of them."""

    def reset(self) -> object:
        """Forget them."""


@dataclass
class Updated:
    """A metric of torchmetrics: it is given probabilities of classes, or predictions, and y, as tensors."""

    name: str
    metric: OfTorchmetrics

    def add(self, seen: Seen, model: ModuleModel) -> None:
        import torch

        device = getattr(self.metric, "device", None)
        shares = seen.probabilities
        predicted = seen.prediction if shares is None or model.loss.two_levels else shares
        target = torch.from_numpy(np.array(seen.y)).to(device)
        target = target.float() if shares is None else target.long()
        try:
            self.metric.update(torch.from_numpy(np.array(predicted)).float().to(device), target)
        except (TypeError, ValueError, IndexError, RuntimeError) as error:
            raise ConfigError(
                f"The metric `{self.name}` cannot take predictions of shape {predicted.shape} and y of shape "
                f"{tuple(target.shape)} ({str(target.dtype).removeprefix('torch.')}): {_first_line(error)}."
            ) from error

    def result(self, model: ModuleModel) -> Iterator[tuple[str, object]]:
        found = self.metric.compute()
        self.metric.reset()
        yield from found.items() if isinstance(found, Mapping) else [(self.name, found)]

    def higher(self, name: str) -> bool | None:
        return getattr(self.metric, "higher_is_better", None) if name == self.name else None


class Meter:
    """Listens to what a module returns for rows, and gives the metrics of all it heard."""

    def __init__(self, model: ModuleModel, measures: Sequence[Measure]) -> None:
        self.model, self.measures = model, measures
        self.waiting: list[tuple[Tensor, Tensor]] = []
        self.numbers = 0
        self.counted = False

    @property
    def heard(self) -> bool:
        """Whether there are rows to tell of."""
        return self.counted or bool(self.waiting)

    def higher(self, name: str) -> bool | None:
        """Whether more of a metric is better; None if there is no such metric, or nobody knows."""
        answers = (measure.higher(name) for measure in self.measures)
        return next((answer for answer in answers if answer is not None), None)

    def hear(self, output: Tensor, y: Tensor) -> None:
        """Take what a module returned for some rows, and what was observed of them."""
        self.waiting.append((output.detach(), y))
        self.numbers += output.numel()
        if self.numbers > AT_ONCE:
            self._count()

    def _count(self) -> None:
        import torch

        outputs, ys = zip(*self.waiting, strict=True)
        self.waiting, self.numbers, self.counted = [], 0, True
        rows = seen(self.model, torch.cat(outputs), torch.cat(ys))
        for measure in self.measures:
            measure.add(rows, self.model)

    def results(self, prefix: str = "") -> dict[str, float]:
        """Return the metrics of what was heard, by name, and begin anew."""
        if self.waiting:
            self._count()
        if not self.counted:
            return {}
        self.counted = False
        return {
            f"{prefix}{name}": value
            for measure in self.measures
            for label, result in measure.result(self.model)
            for name, value in _numbers(label, result)
        }


class MeterOfOutputs(Meter):
    """The meters of several outputs of a module, by name."""

    def __init__(self, model: ModuleModel, meters: Mapping[str, Meter]) -> None:
        super().__init__(model, ())
        self.meters, self.heads = meters, Heads(cast(Several, model.loss))

    @property
    def heard(self) -> bool:
        return any(meter.heard for meter in self.meters.values())

    def hear(self, output: Tensor, y: Tensor) -> None:
        outputs, ys = (in_order(each.parts, self.heads.names) for each in (output, y))  # type: ignore[attr-defined]
        for name, (_, part), (_, given) in zip(self.model.loss.outputs, outputs, ys, strict=True):
            if name in self.meters:
                self.meters[name].hear(part, given)

    def higher(self, name: str) -> bool | None:
        own = ((head, meter) for head, meter in self.meters.items() if name.startswith(f"{head}_"))
        return next((meter.higher(name.removeprefix(f"{head}_")) for head, meter in own), None)

    def results(self, prefix: str = "") -> dict[str, float]:
        found: dict[str, float] = {}
        for name, meter in self.meters.items():
            found |= meter.results(f"{prefix}{name}_")
        return found


def seen(model: ModuleModel, output: Tensor, y: Tensor) -> Seen:
    """Return what was observed and predicted of rows, of what a module returned for them."""
    import torch

    places = y.ndim > 1 and not y.is_floating_point() and (*output.shape[:1], *output.shape[2:]) == y.shape
    if places or model.loss.of_places:
        y = y.reshape(-1)
        there = (y >= 0) & (y != model.loss.ignored)
        output, y = output.movedim(1, -1).reshape(-1, output.shape[1])[there], y[there]
    loss, observed = model.loss, y.detach().cpu().double().numpy()
    if loss.of_classes or (not y.is_floating_point() and y.ndim == 1 and output.ndim == 2 and output.shape[1] > 1):
        shares = torch.softmax(output.double() if not output.is_mps else output, 1).cpu().double().numpy()
        observed = observed if observed.ndim == 1 else observed.argmax(axis=1).astype(np.float64)
        return Seen(observed, shares.argmax(axis=1).astype(np.float64), shares)
    prediction = loss.mean(output.cpu().double().numpy())
    if loss.two_levels and prediction.ndim == 1 and ((observed == 0.0) | (observed == 1.0)).all():
        return Seen(observed, prediction, np.column_stack([1.0 - prediction, prediction]))
    return Seen(observed, prediction)


def meter_of(metrics: object, model: ModuleModel) -> Meter | None:
    """Return what computes the metrics that were asked for; None if there are none.

    metrics: names such as ``"accuracy"`` or ``"top_k(k=3)"``, functions of y and the prediction, metrics of
        torchmetrics; one of these, a list of them, or by name.

    Raises ConfigError for what is none of these.
    """
    if metrics is None:
        return None
    if model.loss.outputs:
        return _of_outputs(metrics, model)
    if isinstance(metrics, Mapping):
        given = [(str(name), each) for name, each in metrics.items()]
    else:
        given = [("", each) for each in (metrics if isinstance(metrics, list | tuple) else [metrics])]
    ours: dict[str, Metric] = {}
    others: dict[str, Measure] = {}
    for place, (name, each) in enumerate(given, 1):
        made = METRICS.build(each) if isinstance(each, str | Metric) else None
        called = name or _name_of(each, place)
        if called in {**ours, **others}:
            raise ConfigError(
                f'There are two metrics `{called}`. Give them names: metrics={{"one": ..., "other": ...}}.'
            )
        if made is None:
            others[called] = _other_measure(called, each)
        else:
            ours[called] = made
    measures = [*([Ours(ours)] if ours else ()), *others.values()]
    return Meter(model, measures) if measures else None


def _of_outputs(metrics: object, model: ModuleModel) -> Meter:
    """Return what computes metrics of several outputs: those given for each by name, or all that go with it."""
    found: dict[str, Meter] = {}
    losses = model.loss.outputs
    if isinstance(metrics, Mapping) and not set(metrics) <= set(losses):
        raise ConfigError(f"Give metrics of the outputs by their names, {', '.join(losses)}: {{name: [...]}}.")
    for name, loss in losses.items():
        if isinstance(metrics, Mapping):
            own: object = metrics.get(name)
        else:
            given = metrics if isinstance(metrics, list | tuple) else [metrics]
            own = [each for each in given if _goes_with(each, loss)]
        meter = meter_of(own, replace(model, loss=loss)) if own else None
        if meter is not None:
            found[name] = meter
    if not found:
        shown = ", ".join(f"{name}: {loss.shown}" for name, loss in losses.items())
        raise ConfigError(f"None of the `metrics` goes with an output of this module, whose losses are {shown}.")
    return MeterOfOutputs(model, found)


def _goes_with(metric: object, loss: Loss) -> bool:
    built = METRICS.build(metric) if isinstance(metric, str | Metric) else None
    return built is None or built.of_classes == (loss.of_classes or loss.two_levels or loss.of_places)


def _name_of(given: object, place: int) -> str:
    if isinstance(given, str | Metric):
        return given.strip() if isinstance(given, str) else given.name
    called: str = getattr(given, "__name__", type(given).__name__)
    return f"metric_{place}" if called == "<lambda>" else called


def _other_measure(name: str, given: object) -> Measure:
    if isinstance(given, type):
        raise ConfigError(f"`{given.__name__}` is a class. Give a metric made from it: {given.__name__}().")
    if isinstance(given, OfTorchmetrics):
        return Updated(name, copy.deepcopy(given))
    if callable(given):
        return Function(name, given)
    raise ConfigError(
        f"A metric is a name such as `accuracy`, a function of y and the prediction, or a metric of torchmetrics; this "
        f"is a {type(given).__name__}."
    )


def _as_given(values: Array, model: ModuleModel) -> NDArray[np.generic]:
    """Return places of classes as the classes that the data have."""
    classes = model.loss.classes
    return np.array(cells_of(classes))[values.astype(np.intp)] if classes else values


def _numbers(name: str, result: object) -> Iterator[tuple[str, float]]:
    try:
        values = np.asarray(result.detach().cpu() if hasattr(result, "detach") else result, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(
            f"The metric `{name}` returned {type(result).__name__}. It must return a number, or several."
        ) from None
    if values.ndim == 0:
        yield name, float(values)
        return
    for place, value in enumerate(values.ravel()):
        yield f"{name}[{place}]", float(value)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
