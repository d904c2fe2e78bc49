"""A likelihood whose dispersion is not that of its distribution: quasi-likelihood, or a dispersion that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from descend.errors import ConfigError
from descend.losses.contract import Loss
from descend.registry import setting
from descend.wording import spell

ESTIMATED, KNOWN = "estimated", "known"


@dataclass(frozen=True)
class Dispersed(Loss):
    """Another loss, whose responses scatter phi times as much as its distribution has it, or its own dispersion known.

    The fit is the same; standard errors are sqrt(phi) times as large. Where the distribution itself has a dispersion of
    1, as that of counts and shares, none belongs to another phi: there is a deviance, but no likelihood (quasi-Poisson,
    quasi-binomial).

    of: the loss. phi: the dispersion; 0 stands for Pearson's estimate, sum omega (y - m)**2 / V(m) over n - p.
    inside: whether it works on what is inside a formula's outermost sigmoid.
    Source: Wedderburn (1974), Biometrika 61, 439-447; McCullagh & Nelder (1989), Generalized Linear Models, ch. 9.

    >>> loss = Dispersed(of="poisson")
    >>> str(loss), loss.dispersion, loss.density
    ('dispersed(of=poisson)', 'estimated', False)
    """

    of: str = setting("poisson")
    phi: float = setting(0.0, at_least=0)
    inside: bool = False

    def __post_init__(self) -> None:
        from descend.losses import LOSSES

        super().__post_init__()
        of = LOSSES.build(self.of)
        object.__setattr__(self, "_of", of.of_score if self.inside else of)
        refuse_dispersion(of)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same of the same loss: one that was defined again, under its name, is another."""
        if not isinstance(other, Dispersed) or (self.of, self.phi, self.inside) != (other.of, other.phi, other.inside):
            return False
        return bool(self.other == other.other)

    def __hash__(self) -> int:
        return hash((self.other, self.phi, self.inside))

    @property
    def registered(self) -> str:
        return "dispersed"

    @property
    def other(self) -> Loss:
        """The loss whose dispersion this is."""
        other_loss: Loss = self.__dict__["_of"]
        return other_loss

    @property
    def settings(self) -> dict[str, float | str]:
        return {"of": self.of, **({"phi": self.phi} if self.phi else {})}

    @cached_property
    def own_columns(self) -> tuple[str, ...]:
        return ()

    @property
    def shown(self) -> str:
        phi = f"{self.phi:g}" if self.phi else ESTIMATED
        return f"{self.other.shown}, dispersion {phi}"

    @property
    def dispersion(self) -> Literal["known", "estimated"] | None:  # type: ignore[override]
        return "known" if self.phi else "estimated"

    @property
    def known_dispersion(self) -> float:
        return self.phi or 1.0

    @property
    def density(self) -> bool:
        return self.other.dispersion == "estimated"

    @property
    def of_mean(self) -> Loss:
        direct = self.other.of_mean
        return self if direct == self.other else Dispersed(str(direct), self.phi)

    @property
    def of_score(self) -> Loss:
        return self if self.other.of_score == self.other else replace(self, inside=True)


def _of(name: str) -> property:
    return property(lambda self: getattr(self.other, name))


AS_THE_OTHER = (
    *("name", "expressions", "read", "slopes", "weights", "link", "certain", "unit", "endless", "needs", "two_levels"),
    *("response_domain", "prediction_domain", "convex", "convex_in_log", "curvature_left_text", "score", "counts"),
    *("variance_text", "kurtosis_text", "saturated_text", "normaliser_text", "normaliser_terms", "log_normaliser"),
)
"""What such a loss has of the other."""
for _name in AS_THE_OTHER:
    setattr(Dispersed, _name, _of(_name))


def refuse_dispersion(loss: Loss) -> None:
    """Raise ConfigError for a loss whose dispersion means nothing, or is given in another way."""
    if not loss.likelihood:
        raise ConfigError(
            f"The {loss.name} loss is not the likelihood of a distribution, so it has no dispersion. Leave out "
            f"{spell('dispersion')}."
        )
    if loss.quadratic or loss.squares:
        raise ConfigError(
            f"The dispersion of the {loss.name} loss is the variance of the residuals, which is estimated. Where it is "
            f"known, give its root with {spell('sigma')}."
        )
    if not loss.plain:
        raise ConfigError(
            f"The {loss.name} loss has columns or parameters of its own, by which it says how far responses scatter. "
            f"Leave out {spell('dispersion')}, or choose another loss."
        )


def with_dispersion(loss: Loss, dispersion: str | float) -> Loss:
    """Return a loss with its dispersion "estimated", "known", or a number; the loss itself if it is so already.

    >>> from descend.losses import Gamma
    >>> with_dispersion(Gamma(), "estimated").name, str(with_dispersion(Gamma(), 1.0))
    ('gamma', 'dispersed(of=gamma, phi=1)')
    """
    if loss.dispersion == dispersion:
        return loss
    refuse_dispersion(loss)
    phi = 0.0 if dispersion == ESTIMATED else 1.0 if dispersion == KNOWN else float(dispersion)
    return loss if phi == 1.0 and loss.dispersion == KNOWN else Dispersed(str(loss), phi)
