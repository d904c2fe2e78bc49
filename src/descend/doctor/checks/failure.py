"""A call of PyTorch that raised an error, with what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.user_code import OURS, Place, UserCode

if TYPE_CHECKING:
    from torch import Tensor


def failed_call(error: BaseException) -> Operation | None:
    """Return the PyTorch call that raised an error: the hook that passed it on still holds its arguments."""
    found: Operation | None = None
    traceback = error.__traceback__
    while traceback is not None:
        code, seen = traceback.tb_frame.f_code, traceback.tb_frame.f_locals
        if code.co_name == "__torch_function__" and code.co_filename.startswith(OURS):
            function = seen["function"]
            found = Operation(function, function.__name__, seen["args"], seen["kwargs"] or {}, None, None)
        traceback = traceback.tb_next
    return found


class Failure:
    """A failed call with its place and the names that the user gave to its tensors."""

    def __init__(self, error: BaseException, call: Operation, place: Place | None, user_code: UserCode) -> None:
        self.said, self.call, self.place = str(error), call, place
        self.names: dict[int, str] = {}
        traceback = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if user_code.is_users(frame.f_code.co_filename):
                self.names |= {id(value): name for name, value in frame.f_locals.items() if name[:1] != "_"}
            traceback = traceback.tb_next

    def name(self, tensor: Tensor, otherwise: str) -> str:
        """Return what the user calls a tensor."""
        return self.names.get(id(tensor), otherwise)

    def finding(self, name: str, sentence: str, why: str, fix: str, **evidence: object) -> Finding:
        """Return a finding at the line that failed."""
        return Finding(name, sentence, why, fix, self.place, evidence)


def dtype_of(tensor: Tensor) -> str:
    """Return the dtype of a tensor as text."""
    return str(tensor.dtype)
