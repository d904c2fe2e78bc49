"""The losses, one file each; ``LOSSES`` is the registry that the command line, messages and law tests read."""

from descend.losses.checking import check, check_class
from descend.losses.contract import Loss
from descend.losses.domain import POSITIVE, Domain
from descend.registry import Registry

LOSSES: Registry[Loss] = Registry(
    kind=Loss.kind,
    places={
        "squared": "descend.losses.squared:Squared",
        "absolute": "descend.losses.absolute:Absolute",
        "huber": "descend.losses.huber:Huber",
        "soft_l1": "descend.losses.soft_l1:SoftL1",
        "cauchy": "descend.losses.cauchy:Cauchy",
        "tukey": "descend.losses.tukey:Tukey",
        "log_cosh": "descend.losses.log_cosh:LogCosh",
        "pinball": "descend.losses.pinball:Pinball",
        "poisson": "descend.losses.poisson:Poisson",
        "negative_binomial": "descend.losses.negative_binomial:NegativeBinomial",
        "gamma": "descend.losses.gamma:Gamma",
        "inverse_gaussian": "descend.losses.inverse_gaussian:InverseGaussian",
        "tweedie": "descend.losses.tweedie:Tweedie",
        "logistic": "descend.losses.logistic:Logistic",
        "bernoulli": "descend.losses.bernoulli:Bernoulli",
        "binomial": "descend.losses.binomial:Binomial",
        "ordinal": "descend.losses.ordinal:Ordinal",
        "multinomial": "descend.losses.multinomial:Multinomial",
        "student_t": "descend.losses.student_t:StudentT",
        "exponential": "descend.losses.exponential:Exponential",
        "weibull": "descend.losses.weibull:Weibull",
        "lognormal": "descend.losses.lognormal:LogNormal",
        "von_mises": "descend.losses.von_mises:VonMises",
    },
    around={
        "censored": "descend.losses.censored:Censored",
        "asymmetric": "descend.losses.asymmetric:Asymmetric",
        "dispersed": "descend.losses.dispersed:Dispersed",
    },
    check=check_class,
)

LEAST_SQUARES: Loss = LOSSES.build("squared")
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
    "Domain",
    "Loss",
    "advised_for",
    "check",
]


def __getattr__(name: str) -> type[Loss]:
    return LOSSES.called(name)
