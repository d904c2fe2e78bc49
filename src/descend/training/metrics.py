"""Metrics by name: what people ask of the predictions of a module beside its loss."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.registry import Part, Registry, setting
from descend.training.tallies import Confusion, Everything, Residuals, Tally

Array = NDArray[np.float64]
AVERAGES = ("macro", "weighted", "micro")


@dataclass(frozen=True)
class Metric(Part):
    """A number that follows from a tally of rows.

    of_classes: whether it is of classes rather than of numbers. higher: whether more of it is better.
    """

    kind: ClassVar[str] = "metric"
    of_classes: ClassVar[bool] = False
    higher: ClassVar[bool] = True
    tally: ClassVar[type[Tally]] = Residuals

    @abstractmethod
    def value(self, tally: Tally) -> float:
        """Return the metric of all rows that were counted."""


@dataclass(frozen=True)
class OfNumbers(Metric):
    """A metric of residuals."""

    higher: ClassVar[bool] = False

    def value(self, tally: Tally) -> float:
        assert isinstance(tally, Residuals)
        return self.of(tally)

    @abstractmethod
    def of(self, sums: Residuals) -> float:
        """Return the metric."""


@dataclass(frozen=True)
class OfClasses(Metric):
    """A metric of a confusion matrix."""

    of_classes: ClassVar[bool] = True
    tally: ClassVar[type[Tally]] = Confusion

    def value(self, tally: Tally) -> float:
        assert isinstance(tally, Confusion)
        return self.of(tally)

    @abstractmethod
    def of(self, counts: Confusion) -> float:
        """Return the metric."""


@dataclass(frozen=True)
class MeanOverRows(OfNumbers):
    """A mean over the rows. total: the sum of them."""

    total: ClassVar[attrgetter[float]]

    def of(self, sums: Residuals) -> float:
        return self.total(sums) / sums.count


@dataclass(frozen=True)
class MeanAbsoluteError(MeanOverRows):
    """Mean of \\|prediction - y\\|."""

    name: ClassVar[str] = "mae"
    aliases: ClassVar[str] = "mean_absolute_error l1 neg_mean_absolute_error"
    total: ClassVar[attrgetter[float]] = attrgetter("absolute")


@dataclass(frozen=True)
class MeanSquaredError(MeanOverRows):
    """Mean of (prediction - y)^2."""

    name: ClassVar[str] = "mse"
    aliases: ClassVar[str] = "mean_squared_error neg_mean_squared_error squared"
    total: ClassVar[attrgetter[float]] = attrgetter("squares")


@dataclass(frozen=True)
class RootMeanSquaredError(OfNumbers):
    """Root of the mean of (prediction - y)^2."""

    name: ClassVar[str] = "rmse"
    aliases: ClassVar[str] = "root_mean_squared_error neg_root_mean_squared_error"

    def of(self, sums: Residuals) -> float:
        return math.sqrt(sums.squares / sums.count)


@dataclass(frozen=True)
class MeanAbsolutePercentageError(MeanOverRows):
    """Mean of \\|prediction - y\\| / \\|y\\|, as a share: inf where a y is 0."""

    name: ClassVar[str] = "mape"
    aliases: ClassVar[str] = "mean_absolute_percentage_error"
    total: ClassVar[attrgetter[float]] = attrgetter("relative")


@dataclass(frozen=True)
class LargestError(OfNumbers):
    """The largest \\|prediction - y\\|."""

    name: ClassVar[str] = "max_error"

    def of(self, sums: Residuals) -> float:
        return sums.largest


@dataclass(frozen=True)
class RSquared(OfNumbers):
    """1 - sum of (prediction - y)^2 / sum of (y - mean of y)^2; nan where all y are the same."""

    name: ClassVar[str] = "r2"
    higher: ClassVar[bool] = True
    aliases: ClassVar[str] = "r_squared rsquared r2_score explained_variance"

    def of(self, sums: Residuals) -> float:
        return 1.0 - sums.squares / sums.spread if sums.spread > 0.0 else math.nan


@dataclass(frozen=True)
class Accuracy(OfClasses):
    """Share of the rows whose likeliest class is theirs."""

    name: ClassVar[str] = "accuracy"
    aliases: ClassVar[str] = "acc accuracy_score binary_accuracy categorical_accuracy"

    def of(self, counts: Confusion) -> float:
        return float(counts.right.sum() / counts.matrix.sum())


@dataclass(frozen=True)
class BalancedAccuracy(OfClasses):
    """Mean over the classes of the share of their rows that are predicted right."""

    name: ClassVar[str] = "balanced_accuracy"

    def of(self, counts: Confusion) -> float:
        there = counts.matrix.sum(axis=1)
        return float((counts.right[there > 0] / there[there > 0]).mean())


@dataclass(frozen=True)
class TopK(OfClasses):
    """Share of the rows whose class is among the k likeliest; of classes alike, theirs is the likelier."""

    k: int = setting(5, at_least=1)

    name: ClassVar[str] = "top_k"
    aliases: ClassVar[str] = "topk top_k_accuracy top5 top3 top_5 top_3"

    def of(self, counts: Confusion) -> float:
        return float(counts.ranks[: self.k].sum() / counts.ranks.sum())


@dataclass(frozen=True)
class PerClass(OfClasses):
    """A metric of each class against the others. Of two classes, that of the second, unless ``average`` is given.

    average: ``macro``, the mean over classes; ``weighted`` by their rows; ``micro``, over all rows. A class that
    is neither there nor predicted counts for nothing, and one without a prediction, or without rows, for 0.
    """

    average: str = setting("", choices=("", *AVERAGES))

    def of(self, counts: Confusion) -> float:
        right, there, said = counts.right, counts.matrix.sum(axis=1), counts.matrix.sum(axis=0)
        if not self.average and len(right) == 2:
            return float(self.each(right[1:], there[1:], said[1:])[0])
        if self.average == "micro":
            return float(self.each(*(part.sum(keepdims=True) for part in (right, there, said)))[0])
        known = (there > 0) | (said > 0)
        return float(np.average(self.each(right, there, said)[known], weights=self._weights(there)[known]))

    def _weights(self, there: Array) -> Array:
        return there if self.average == "weighted" else np.ones(len(there))

    @abstractmethod
    def each(self, right: Array, there: Array, said: Array) -> Array:
        """Return the metric of each class: rows predicted right, rows of the class, rows predicted to be of it."""


@dataclass(frozen=True)
class F1(PerClass):
    """2 right / (rows + predicted), for each class: the harmonic mean of precision and recall; see `PerClass`."""

    name: ClassVar[str] = "f1"
    aliases: ClassVar[str] = "f1_score f1_macro fscore f_score"

    def each(self, right: Array, there: Array, said: Array) -> Array:
        return right * 2.0 / np.maximum(there + said, 1.0)


@dataclass(frozen=True)
class Precision(PerClass):
    """Right / predicted, for each class; see `PerClass`."""

    name: ClassVar[str] = "precision"
    aliases: ClassVar[str] = "precision_score ppv"

    def each(self, right: Array, there: Array, said: Array) -> Array:
        return right / np.maximum(said, 1.0)


@dataclass(frozen=True)
class Recall(PerClass):
    """Right / rows, for each class; see `PerClass`."""

    name: ClassVar[str] = "recall"
    aliases: ClassVar[str] = "recall_score sensitivity tpr"

    def each(self, right: Array, there: Array, said: Array) -> Array:
        return right / np.maximum(there, 1.0)


@dataclass(frozen=True)
class AreaUnderCurve(Metric):
    """Probability that a row of a class has a higher probability of it than a row of another; ties count as one half.

    Of two classes that of the second; of more the mean over those that are there, each against all others. nan where
    there is only one class. It keeps the predictions of all rows.
    Source: Hanley & McNeil (1982), Radiology 143, 29-36.
    """

    name: ClassVar[str] = "auc"
    aliases: ClassVar[str] = "roc_auc auroc roc_auc_score roc"
    of_classes: ClassVar[bool] = True
    tally: ClassVar[type[Tally]] = Everything

    def value(self, tally: Tally) -> float:
        from scipy.stats import rankdata

        assert isinstance(tally, Everything)
        seen = tally.seen
        assert seen.probabilities is not None
        found = []
        for place in range(seen.probabilities.shape[1]):
            own = seen.y == place
            count = int(own.sum())
            if 0 < count < len(own):
                ranks = rankdata(seen.probabilities[:, place])[own].sum()
                found.append((ranks - count * (count + 1) / 2.0) / (count * (len(own) - count)))
        if seen.probabilities.shape[1] == 2:
            found = found[1:]
        return float(np.mean(found)) if found else math.nan


OF_CLASSES: tuple[type[Metric], ...] = (Accuracy, BalancedAccuracy, TopK, F1, Precision, Recall, AreaUnderCurve)
OF_NUMBERS: tuple[type[Metric], ...] = (
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    MeanAbsolutePercentageError,
    LargestError,
    RSquared,
)
METRICS: Registry[Metric] = Registry(*OF_CLASSES, *OF_NUMBERS)
