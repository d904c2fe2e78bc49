"""The losses, one file each; ``LOSSES`` is the registry that the command line, messages and law tests read."""

from descend.losses.absolute import Absolute
from descend.losses.bernoulli import Bernoulli
from descend.losses.binomial import Binomial
from descend.losses.cauchy import Cauchy
from descend.losses.contract import Loss
from descend.losses.domain import POSITIVE, Domain
from descend.losses.exponential import Exponential
from descend.losses.gamma import Gamma
from descend.losses.huber import Huber
from descend.losses.inverse_gaussian import InverseGaussian
from descend.losses.log_cosh import LogCosh
from descend.losses.logistic import Logistic
from descend.losses.lognormal import LogNormal
from descend.losses.multinomial import Multinomial
from descend.losses.negative_binomial import NegativeBinomial
from descend.losses.ordinal import Ordinal
from descend.losses.pinball import Pinball
from descend.losses.poisson import Poisson
from descend.losses.soft_l1 import SoftL1
from descend.losses.squared import Squared
from descend.losses.student_t import StudentT
from descend.losses.tukey import Tukey
from descend.losses.tweedie import Tweedie
from descend.losses.von_mises import VonMises
from descend.losses.weibull import Weibull
from descend.registry import Registry

LOSSES: Registry[Loss] = Registry(
    Squared,
    Absolute,
    Huber,
    SoftL1,
    Cauchy,
    Tukey,
    LogCosh,
    Pinball,
    Poisson,
    NegativeBinomial,
    Gamma,
    InverseGaussian,
    Tweedie,
    Logistic,
    Bernoulli,
    Binomial,
    Ordinal,
    Multinomial,
    StudentT,
    Exponential,
    Weibull,
    LogNormal,
    VonMises,
    around={
        "censored": "descend.losses.censored:Censored",
        "asymmetric": "descend.losses.asymmetric:Asymmetric",
        "dispersed": "descend.losses.dispersed:Dispersed",
    },
)

LEAST_SQUARES: Loss = Squared()
"""What a fit minimises if nobody says, and what a search for a start, or for a scale, minimises first."""


def advised_for(responses: str) -> str:
    """Return the name of the loss that is usual for responses of this kind (see `Loss.advised_for`).

    >>> advised_for("ordered levels")
    'ordinal'
    """
    return next(name for name in LOSSES if LOSSES[name].advised_for == responses)


__all__ = [
    "LEAST_SQUARES",
    "LOSSES",
    "POSITIVE",
    "Absolute",
    "Bernoulli",
    "Binomial",
    "Cauchy",
    "Domain",
    "Exponential",
    "Gamma",
    "Huber",
    "InverseGaussian",
    "LogCosh",
    "LogNormal",
    "Logistic",
    "Loss",
    "Multinomial",
    "NegativeBinomial",
    "Ordinal",
    "Pinball",
    "Poisson",
    "SoftL1",
    "Squared",
    "StudentT",
    "Tukey",
    "Tweedie",
    "VonMises",
    "Weibull",
    "advised_for",
]
