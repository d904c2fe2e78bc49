"""The losses, one file each; ``LOSSES`` is the registry that the command line, messages and law tests read."""

from descend.losses.absolute import Absolute
from descend.losses.contract import Loss
from descend.losses.huber import Huber
from descend.losses.log_cosh import LogCosh
from descend.losses.logistic import Logistic
from descend.losses.pinball import Pinball
from descend.losses.poisson import Poisson
from descend.losses.squared import Squared
from descend.registry import Registry

LOSSES: Registry[Loss] = Registry("loss", [Squared, Absolute, Huber, LogCosh, Pinball, Poisson, Logistic])

__all__ = ["LOSSES", "Absolute", "Huber", "LogCosh", "Logistic", "Loss", "Pinball", "Poisson", "Squared"]
