"""What the losses have in common that PyTorch computes from the outputs of a module, and no formula says."""

from __future__ import annotations

from descend.losses.contract import Loss


class OfOutputs(Loss):
    """A loss without expressions: what others read off these is said here."""

    @property
    def own_columns(self) -> tuple[str, ...]:
        return ()

    @property
    def plain(self) -> bool:
        return False

    @property
    def of_residual(self) -> bool:
        return False

    @property
    def quadratic(self) -> bool:
        return False
