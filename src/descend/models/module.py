"""A PyTorch module as a model: which columns it takes, what it must return, and its predictions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.losses import Loss
from descend.losses.in_torch import InTorch, shape_of
from descend.losses.of_outputs import Elements
from descend.losses.several import in_order
from descend.models.contract import Model
from descend.models.datasets import is_dataset, rows_of
from descend.models.module_modes import evaluating
from descend.models.module_weights import ModuleParameters
from descend.models.reading import Content, Options, known_column
from descend.models.together import Name, Together, called, joined_rows, returned, several, together
from descend.parameters import Constraints
from descend.table import Table, open_table

if TYPE_CHECKING:
    from torch import Tensor, dtype
    from torch.nn import Module

Array = NDArray[np.float64]
TENSOR = "X"
"""What the inputs are called if they are one tensor rather than columns of a table."""
TARGETS = "targets"
"""What the probabilities of classes are called, where these are the response."""
BLOCK_ROWS, BLOCK_NUMBERS = 1 << 16, 1 << 22
"""A pass that only needs sums works on blocks of at most this many rows and numbers."""


@dataclass(frozen=True, eq=False)
class ModuleModel(Model):
    """A module, the columns it takes and the one it predicts. It shares the module with the user.

    inputs: columns of a table, in order; X for a tensor with one number per row; none for other tensors.
    row_shape: the shape of one row's input, if tensors were given; None for columns, which form one vector per row.
    arguments: the names, or places, of the tensors that it takes, if these are several.
    response_shape: the shape of one row's response, if that is more than one number.
    """

    module: Module
    inputs: tuple[str, ...]
    response: str
    loss: Loss
    parameters: ModuleParameters  # type: ignore[assignment]  # theta is a handle, see `Model.in_place`
    row_shape: tuple[int, ...] | None = None
    arguments: tuple[Name, ...] = ()
    response_shape: tuple[int, ...] = ()
    comparable: bool = True
    kind: ClassVar[str] = "PyTorch module"
    in_place: ClassVar[bool] = True
    rowwise: ClassVar[bool] = True
    saved_as: ClassVar[str | None] = "module"
    gradient_sources = ("autograd",)

    @classmethod
    def takes(cls, module_given: object) -> bool:
        torch = sys.modules.get("torch")  # whoever holds a module has imported it
        if torch is None:
            return False
        if isinstance(module_given, type) and issubclass(module_given, torch.nn.Module):
            name = module_given.__name__
            raise ConfigError(f"`{name}` is a class. Give a module made from it: {name}(...).")
        return isinstance(module_given, torch.nn.Module)

    @classmethod
    def read(cls, module: Any, table: Table, options: Options, loss: Loss) -> tuple[ModuleModel, dict[str, object]]:
        response, weights, inputs = options["response"], options["weights"], options["inputs"]
        if response is None:
            raise ConfigError('Which column does the module predict? Say so with response="y".')
        known_column(response, table, "response")
        if weights is not None:
            known_column(weights, table, "weights")
        names = tuple([inputs] if isinstance(inputs, str) else inputs or ())
        if inputs is None:
            names = tuple(name for name in table.numeric_names if name not in (response, weights))
        if not names:
            raise ConfigError(f"The module has no column to take beside `{response}`. Name one, such as inputs=['x'].")
        for name in names:
            known_column(name, table, "input")
        if response in names:
            raise ConfigError(
                f"`{response}` is both an input and the response, so it would be predicted from itself. "
                "Leave it out of the inputs."
            )
        return cls(module, names, response, loss, ModuleParameters(module)), {}

    def entry(self) -> dict[str, object]:
        row_shape = None if self.row_shape is None else list(self.row_shape)
        module_entry: dict[str, object] = {"name": self.name, "inputs": list(self.inputs), "row_shape": row_shape}
        if self.arguments:
            module_entry["arguments"] = list(self.arguments)
        if self.response_shape:
            module_entry["response_shape"] = list(self.response_shape)
        return {"response": self.response, "module": module_entry}

    @classmethod
    def needed(cls, content: Content) -> str | None:
        return (
            f"the PyTorch module `{content['module']['name']}`, of which it holds the weights only. "
            "Make the module and load them into it, in Python: descend.load(path, model=module)."
        )

    @classmethod
    def restored(cls, content: Content, module: Any, loss: Loss, constraints: Constraints | None) -> ModuleModel:
        entry, parameters = content["module"], ModuleParameters(module)
        parameters.write_down()
        row_shape = None if entry["row_shape"] is None else tuple(entry["row_shape"])
        arguments, wide = (tuple(entry.get(key, ())) for key in ("arguments", "response_shape"))
        return cls(module, tuple(entry["inputs"]), content["response"], loss, parameters, row_shape, arguments, wide)

    def __post_init__(self) -> None:
        from_tensors = self.row_shape is not None and not self.inputs
        self.__dict__["response_columns"] = () if from_tensors else (self.response,)

    @property
    def name(self) -> str:
        return type(self.module).__name__

    def tensor(self, columns: Mapping[str, Any]) -> Tensor:
        """Return what the module takes: the columns side by side, or the tensors it was given."""
        if self.arguments:
            return together({name: columns[column] for name, column in self.argument_columns.items()}, self.placed)
        if self.row_shape is None:
            return self.placed(np.column_stack([columns[name] for name in self.inputs]))
        rows = self.placed(columns[TENSOR])
        return rows if rows.ndim == len(self.row_shape) + 1 else rows.reshape(-1, *self.row_shape)

    def placed(self, rows: object) -> Tensor:
        """Return rows as a tensor on the module's device; floating-point numbers get its precision."""
        like = next((tensor for tensor in self.module.parameters() if tensor.is_floating_point()), None)
        tensor = as_tensor(rows)
        if like is None:
            return tensor
        return tensor.to(like.device, like.dtype if tensor.is_floating_point() else None)

    @property
    def dtype(self) -> dtype:
        """The precision of the module."""
        import torch

        parameter_types = (tensor.dtype for tensor in self.module.parameters() if tensor.is_floating_point())
        return next(parameter_types, torch.get_default_dtype())

    def score(self, rows: Tensor) -> Tensor:
        """Call the module. Raises ConfigError unless it returns what the loss takes, mostly one number per row."""
        return self.checked(called(self.module, rows), rows.shape[0])

    @cached_property
    def cost(self) -> InTorch | None:
        """How PyTorch computes the loss of its outputs; None where the loss of one number says so."""
        wide = bool(self.response_shape) and self.loss.in_torch is None
        return Elements(self.loss, self.response_shape) if wide else self.loss.in_torch

    def checked(self, output: object, rows: int) -> Tensor:
        """Return what the module returned for some rows, in the shape that the loss takes. Raises ConfigError."""
        in_torch, given = self.cost, returned(output)
        heads = several(given)
        if heads is not None and not (in_torch is not None and in_torch.takes_several):
            raise ConfigError(
                f"`{self.name}` returned {shape_of(given)}, for {rows} rows. Let it return one tensor, or give a loss "
                f"for each: loss={{{', '.join(f'{name!r}: ...' for name in heads.names)}}}."
            )
        return one_per_row(given, rows, self.name) if in_torch is None else in_torch.checked(given, rows, self.name)

    def inputs_of(self, data: Any, missing: str = "raise") -> Mapping[str, Any]:
        """Return the inputs of new rows: from any table with these columns, or as one tensor or array."""
        if is_dataset(data):
            data = rows_of(data).inputs
        if self.arguments:
            tensors_given = self._several(data)
            return {column: tensors_given.parts[name] for name, column in self.argument_columns.items()}
        if is_tensor(data):
            columns = data if self.row_shape is None else None
            if columns is None:
                self._refuse_other_rows(tuple(data.shape))
                return {TENSOR: data}
            if columns.ndim != 2 or columns.shape[1] != len(self.inputs):
                raise DataError(
                    f"The rows have shape {tuple(columns.shape)}, but the model takes {len(self.inputs)} columns: "
                    f"{', '.join(self.inputs)}. Give them in that order."
                )
            return dict(zip(self.inputs, np.asarray(columns, dtype=np.float64).T, strict=True))
        if not self.inputs:
            raise DataError("The module was fitted to tensors, not to columns. Give its inputs as one tensor or array.")
        return open_table(data).numbers(self.inputs, missing)

    def _refuse_other_rows(self, shape: tuple[int, ...]) -> None:
        """Raise DataError for rows of another shape; one row will do, and pictures of another size."""
        known = self.row_shape or ()
        one_number = {shape[1:], known} <= {(), (1,)}
        if not (one_number or known in (shape, shape[1:]) or self._of_another_size(shape)):
            raise self._other_rows(shape)

    def _of_another_size(self, shape: tuple[int, ...]) -> bool:
        known = self.row_shape or ()
        return 1 < len(known) == len(shape) - 1 and shape[1:] != known

    def _other_rows(self, shape: tuple[int, ...]) -> DataError:
        known = self.row_shape or ()
        return DataError(
            f"The rows have shape {shape[1:]}, but the module was fitted to rows of shape {known}: give X in the "
            f"shape ({', '.join(['n', *map(str, known)])})."
        )

    @property
    def argument_columns(self) -> dict[Name, str]:
        """What each tensor is called among the columns, where it takes several."""
        return {name: f"{TENSOR}[{name}]" for name in self.arguments}

    @property
    def by_name(self) -> bool:
        """Whether it takes several tensors, by name."""
        return bool(self.arguments) and isinstance(self.arguments[0], str)

    def _several(self, data: object) -> Together:
        """Return the several tensors that it takes, of new rows: in a dict by name, or in a tuple in their order."""
        names = [str(name) for name in self.arguments]
        how = f"a dict of tensors {', '.join(names)}" if self.by_name else f"a tuple of {len(names)} tensors"
        tensors_together = data
        if isinstance(data, Mapping | tuple | list):
            tensors_together = together(data, as_tensor)
        if isinstance(tensors_together, Together) and self.by_name and set(names) <= set(tensors_together.parts):
            return Together({name: tensors_together.parts[name] for name in self.arguments})
        if not isinstance(tensors_together, Together) or tensors_together.names != self.arguments:
            raise DataError(f"The module was fitted to several inputs. Give them as {how}.")
        return tensors_together

    def predict(self, theta: object, columns: Mapping[str, Array]) -> Array:
        """Return the prediction of each row, in evaluation mode: of classes the place of the likeliest."""
        score = self.scores(theta, columns)
        if self.loss.of_classes or self.loss.of_places:
            class_numbers: Array = self.loss.probabilities(score, {}).argmax(axis=1).astype(np.float64)
            return class_numbers
        predicted: Array = self.loss.mean(score)
        return predicted[:, 0] if predicted.ndim == 2 and predicted.shape[1] == 1 else predicted

    def scores_of_outputs(self, theta: object, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Return what the module returns for each output in evaluation mode, by name; a single one without."""
        output = self._outputs(columns)
        heads = several(output)
        if heads is None:
            return {"": output.double().cpu().numpy()}
        arrays = {name: score_of_head.double().cpu().numpy() for name, score_of_head in heads.parts.items()}
        if not self.loss.outputs:
            return {str(name): array for name, array in arrays.items()}
        named = in_order(arrays, tuple(self.loss.outputs))
        return dict(zip(self.loss.outputs, (array for _, array in named), strict=True))

    def scores(self, theta: object, columns: Mapping[str, Array]) -> Array:
        """Return what the module returns for each row in evaluation mode, (n,) or (n, K)."""
        score: Array = self._outputs(columns).double().cpu().numpy()
        return score

    def _outputs(self, columns: Mapping[str, Array]) -> Tensor:
        import torch

        rows = self.tensor(columns)
        with evaluating(self.module), torch.no_grad():
            size = block_size(rows)
            try:
                return joined_rows([self.score(rows[begin : begin + size]) for begin in range(0, len(rows), size)])
            except RuntimeError as error:
                if self.row_shape is None or not self._of_another_size(tuple(rows.shape)):
                    raise
                raise self._other_rows(tuple(rows.shape)) from error

    def __str__(self) -> str:
        return f"{self.response} ~ {self.name}({', '.join(self.inputs) or TENSOR})"


def one_per_row(output: Any, rows: int, name: str) -> Tensor:
    """Return a module's output as one dimension: a column (n, 1) minus y (n,) would silently become (n, n)."""
    shape = tuple(getattr(output, "shape", ()))
    if shape == (rows, 1):
        column: Tensor = output.squeeze(1)  # rather than [:, 0], whose derivative fills a matrix
        return column
    if shape != (rows,):
        raise ConfigError(
            f"`{name}` returned {shape_of(output)} for {rows} rows. "
            f"It must return one number per row: shape ({rows},) or ({rows}, 1)."
        )
    tensor: Tensor = output
    return tensor


def as_tensor(rows: object) -> Tensor:
    """Return rows as a tensor, without a copy if possible."""
    import torch

    if isinstance(rows, torch.Tensor):
        return rows
    return torch.from_numpy(np.require(np.asarray(rows), requirements=["C", "W"]))


def block_size(rows: Tensor) -> int:
    """Return how many rows to pass to a module at once."""
    numbers: int = max(1, rows.numel() // max(1, len(rows)))
    return max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // numbers))


def is_tensor(data: object) -> bool:
    """Whether data are one tensor or array: something with a shape, but no column names."""
    named = any(hasattr(data, name) for name in ("columns", "__arrow_c_stream__"))
    fields = getattr(getattr(data, "dtype", None), "names", None)
    return hasattr(data, "shape") and hasattr(data, "ndim") and not named and not fields


def is_pair(data: object) -> bool:
    """Whether data are ``(X, y)``."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        return False
    return all(several(member) is not None or is_tensor(member) or _are_tensors(member) for member in data)


def _are_tensors(tensors: object) -> bool:
    """Whether these are several tensors or arrays, by name or in order."""
    tensor = tensors.values() if isinstance(tensors, Mapping) else tensors if isinstance(tensors, tuple | list) else ()
    return bool(tensor) and all(map(is_tensor, tensor))
