"""Every option of a fit, defined once, and the values that a user asked for.

A new option is one field of `OptionsOfRows`, `OptionsOfModel`, `OptionsOfDescent` or `OptionsOfTraining`, with its
default, its sentence of help and its check. This makes the command line accept it (`descend.cli.options`),
``descend.fit`` know it, a report repeat it, a checkpoint compare it with that of a resumed run, and messages spell it
(`descend.wording`); its label is that of its control in the lab. What remains is the code that uses it, which reads it
from the request. (A test asks for its name in the signature of ``descend.fit``, too, where editors look.)

An option from outside the package is registered, `register(Option("key", ...))`, and read as ``request["key"]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import compress
from keyword import iskeyword
from operator import is_not, itemgetter
from typing import TYPE_CHECKING, Any

from descend.errors import ConfigError
from descend.options import checks
from descend.options.of_descent import OptionsOfDescent
from descend.options.of_training import OptionsOfTraining
from descend.options.option import Option, Values, options_of
from descend.options.units import may_have_units
from descend.wording import FLAGS

if TYPE_CHECKING:
    from descend.table import Table
    from descend.table.rows import Roles, Weighing
    from descend.units.stated import Stated


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Request(OptionsOfTraining):
    """What the user asked for: the options of ``descend.fit``."""

    model: object = None
    data: object = None
    given: Values = field(default_factory=dict)
    """Model, data and the options that differ from their defaults, as the user gave them."""
    more: Values = field(default_factory=dict)
    """The values of options that were registered from outside, by key."""
    polish: bool = True
    """Whether a start found by search may be improved by a short descent."""
    grow: bool = False
    """Whether a start may be improved on samples of many rows."""
    second_look: bool = True
    """Whether a search may look for a lower minimum than the one that the user's start led to."""
    bare: bool = False
    """Whether only the parameters are asked for: nothing is looked at to comment on, and what the data do not determine
    is no error."""
    near: bool = False
    """Whether only a start for another fit is asked for: of many rows, what samples of them say is near enough."""
    weighing: Weighing | None = None
    """The standard deviations or weights that follow from the predictions of an earlier fit."""
    weighed_by: tuple[str, ...] = ()
    """Columns, beside the prediction, that such standard deviations or weights are computed from."""
    held_out: Table | None = None
    """The rows of validation, once they were told from those to train on."""
    stated: Stated | None = None
    """What is said of units, once the table was looked at; None if nothing is."""
    notes: tuple[str, ...] = ()
    """What was decided about the request by looking at the data, in sentences."""
    unsettled: Request | None = None
    """This request before the scale of its loss was estimated from the data."""

    prior_dispersion: float | None = None
    """The dispersion that priors are weighed by, where it was estimated together with the parameters."""
    dispersion_alone: float | None = None
    """That of a fit without the priors."""
    of_options: Request | None = field(default=None, init=False)
    """The request of the same formula and options, one object for all data and starting values, or None: what follows
    from it and from the names of the columns is found out but once."""

    def but(self, **values: object) -> Request:
        """Return the same with other values: `dataclasses.replace`, in a tenth of its time."""
        changed = object.__new__(Request)
        changed.__dict__.update(self.__dict__, **values)
        if not values.keys() <= OF_ONE_FIT:
            changed.__dict__.pop("roles", None)
            changed.__dict__.pop("of_options", None)
        return changed

    def on_the_way(self, **values: object) -> Request:
        """Return the request of a fit on the way to this one, of which only the parameters are used."""
        return self.but(quantities=None, checkpoint=None, errors=None, bare=True, **values)

    def unwatched(self) -> Request:
        """Return the same of a descent that nobody steers or watches."""
        return self.but(**UNWATCHED, quantities=None, bare=True, polish=True)

    def says_units(self, table: Table) -> bool:
        """Whether units may stand in headers, in metadata or in values of options, and were not looked at yet."""
        if self.stated is not None:
            return False
        from descend.table.headers import SIGN  # the command's help reads no table

        if self.units or table.units or table.given_units or SIGN.search("\n".join(table.names)):
            return True
        values = self.__dict__
        for key in MEASURED:
            value = values[key]
            if value is not None and may_have_units(value):
                return True
        return False

    def __getitem__(self, key: str) -> Any:
        """Return the value of an option."""
        return self.more.get(key, OPTIONS[key].default) if key not in FIELDS else getattr(self, key)

    @property
    def identity(self) -> dict[str, object]:
        """The values of registered options that have to be the same for a run to be resumed, by their ``identity``."""
        other_options = (option for key, option in OPTIONS.items() if key not in FIELDS and option.identity)
        return {option.identity: self[option.key] for option in other_options}

    @property
    def batched(self) -> bool:
        """Whether the descent takes the rows in batches."""
        return self.batch_size is not None

    @property
    def full_epochs(self) -> int | None:
        """The number of passes over all rows at once; None if it is not given, or if the rows are taken in batches."""
        return None if self.batched else self.epochs

    @property
    def bounded(self) -> bool:
        """Whether the descent can keep parameters within bounds that the user did not ask for."""
        from descend.optimizers import OPTIMIZERS

        named = OPTIMIZERS.build(self.optimizer) if isinstance(self.optimizer, str) else self.optimizer
        return getattr(named, "bounded", named is None)  # PyTorch's own say nothing of it

    @cached_property
    def roles(self) -> Roles:
        """The columns with a role of their own: weights and sigma, and those that tell clusters apart."""
        from descend.table.rows import ALIKE, Roles

        weighed = self.weights is not self.sigma or self.covariance is not None or self.weighing is not None
        if not weighed and self.exposure is None and self.errors is None:
            return ALIKE
        exposure = self.exposure if isinstance(self.exposure, str) else None
        roles = Roles(self.weights, self.sigma, self._clusters, self.covariance, exposure=exposure)
        return roles if self.weighing is None else self.weighing.over(roles)

    @property
    def _clusters(self) -> tuple[str, ...]:
        if self.errors is None or not self.errors.lstrip().casefold().startswith("cluster"):
            return ()
        from descend.options.kinds_of_errors import read_errors
        from descend.table.levels import name_of

        return tuple(name_of((column,)) for column in read_errors(self.errors).columns)


OF_ONE_FIT = frozenset(("data", "start", "given"))
"""What differs between fits of the same formula with the same options."""
FIELDS = options_of(Request)
MEASURED = tuple(key for key, option in FIELDS.items() if option.measured)
"""The options whose values may have units."""
UNWATCHED = {
    key: option.default
    for key, option in FIELDS.items()
    if option.subject == OptionsOfDescent.subject and not option.together
}
"""The options of a single descent, at their defaults."""
PLAIN = Request()
"""The request of a call without options."""
OPTIONS = dict(FIELDS)
"""Every option of a fit by key, in the order of the help; registered ones come after ours."""
RACING = Option(
    "optimizers", "gd,momentum,adam,lbfgs", 'Which, such as gd,lbfgs or "adam,adam(beta1=0.8)".', metavar="LIST"
)
"""The option of a comparison that replaces the optimizer."""
FLAGS.update({key: option.flag for key, option in OPTIONS.items() if option.flag})


def register(option: Option) -> None:
    """Add an option from outside the package: ``descend.fit`` accepts it, and the request has its value in ``more``.

    One that is registered again, as a cell of a notebook is run again, takes the place of what it was. Raises
    ConfigError if the key is no name that Python could call it by, or if key or flag are those of another option.
    """
    key = option.key
    if not key.isidentifier() or iskeyword(key):
        name = re.sub(r"\W+", "_", key).strip("_").casefold()
        example = f", such as `{name}`" if name.isidentifier() and not iskeyword(name) else ""
        raise ConfigError(
            f"`{key}` cannot be an option: descend.fit takes it by its key, which is a name as Python has them. "
            f"Give it another{example}."
        )
    if key in Request.__dataclass_fields__:
        raise ConfigError(f"There is an option `{key}` already. Give yours another key.")
    for other in OPTIONS.values():
        if other.key != key and other.spelled == (option.flag or f"--{key.replace('_', '-')}"):
            raise ConfigError(f"The flag `{other.spelled}` is that of the option `{other.key}`. Give yours another.")
    FLAGS.pop(key, None)
    OPTIONS[key] = option
    if option.flag:
        FLAGS[key] = option.flag


def options_among(arguments: Mapping[str, Any], function: Callable[..., object]) -> dict[str, Any]:
    """Return the options among the arguments of a call of a function, by key, without those left at its defaults."""
    keys, values_of, defaults = _defaults(function)
    return {
        key: arguments[key] for key in compress(keys, map(is_not, values_of(arguments), defaults)) if key in OPTIONS
    }


@lru_cache(maxsize=8)
def _defaults(
    function: Callable[..., object],
) -> tuple[tuple[str, ...], itemgetter[tuple[object, ...]], tuple[object, ...]]:
    """Return the arguments of a function with a default, what takes their values from others, and the defaults."""
    keys, defaults = zip(*(function.__kwdefaults__ or {}).items(), strict=True)
    return keys, itemgetter(*keys), defaults


def is_default(key: str, value: object) -> bool:
    """Whether a value of an option means the same as its default."""
    default = OPTIONS[key].default
    if value is default or (type(value) in (dict, list, tuple) and not value):
        return True
    return type(value) in (str, int, float, bool) and value == default


def check_options(options_given: Mapping[str, object], *needed: str) -> None:
    """Raise ConfigError for an option with a wrong value; None stands for one that is not given.

    needed: what must be given beside the options that say so.

    >>> check_options({"fix": {"c": 0}, "bounds": None})
    >>> check_options({"fix": 3})
    Traceback (most recent call last):
    descend.errors.ConfigError: `fix` must be values by name, such as {"c": 0}, not 3.
    """
    for key, value in options_given.items():
        option = OPTIONS.get(key)
        if value is None and key not in needed and not (option is not None and option.needed):
            continue
        if option is None or not (value is option.default or (type(value) is float and value == option.default)):
            checks.ARGUMENTS.get(key, checks.anything if option is None else option.check)(key, value)
