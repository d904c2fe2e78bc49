"""A model written as a Python function: ``forward(x, w)`` of columns and parameters."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.losses import Loss
from descend.models.call import Call
from descend.models.contract import Model
from descend.parameters import Constraints, Parameters

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FunctionModel(Model):
    """A Python function ``forward(x, w)`` of columns and parameters, and the column it predicts."""

    forward: Call = field()
    response: str = field()
    parameters: Parameters = field()
    loss: Loss = field()
    constraints: Constraints | None = None
    kind: ClassVar[str] = "Python function"
    gradient_sources: ClassVar[tuple[str, ...]] = ("autograd",)

    @property
    def name(self) -> str:
        return self.forward.name

    @classmethod
    def takes(cls, given: object) -> bool:
        return callable(given)

    def __post_init__(self) -> None:
        self.__dict__.update(inputs=self.forward.columns, response_columns=(self.response,))

    def predict(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        return self.loss.mean(self.scores(theta, columns))

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Call the function: with NumPy arrays, or with tensors if it is written with torch functions.

        Raises ConfigError unless it returns one number per row.
        """
        if "torch" in sys.modules and self._takes_tensors(theta, columns):
            import torch

            tensors = {name: torch.from_numpy(np.array(column)) for name, column in columns.items()}
            values = {name: torch.as_tensor(value) for name, value in self.parameters.named(theta).items()}
            with torch.no_grad(), contextlib.suppress(ConfigError):  # what takes neither is told of arrays
                return np.asarray(self.forward(tensors, values), dtype=np.float64).reshape(-1)
        rows = len(next(iter(columns.values())))
        prediction = np.asarray(self.forward(columns, self.parameters.named(theta)), dtype=np.float64)
        if prediction.ndim == 0:
            return np.full(rows, float(prediction))
        if prediction.shape != (rows,):
            raise ConfigError(
                f"`{self.forward.name}` returned shape {prediction.shape} for {rows} rows. It must return one "
                "prediction per row."
            )
        return prediction

    def _takes_tensors(self, theta: Array, columns: Mapping[str, Array]) -> bool:
        """Find out, once, whether the function is written with torch functions, which refuse NumPy arrays."""
        known: bool | None = self.__dict__.get("takes_tensors")
        if known is None:
            known, one_row = False, {name: column[:1] for name, column in columns.items()}
            try:
                self.forward(one_row, self.parameters.named(theta))
            except ConfigError as error:
                known = isinstance(error.__cause__, TypeError)
            self.__dict__["takes_tensors"] = known
        return known

    def __str__(self) -> str:
        return f"{self.response} ~ {self.forward.name}({', '.join((*self.forward.columns, *self.forward.parameters))})"
