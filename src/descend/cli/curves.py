"""`descend curves`: the named curves, and what there is to know of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import folded, say, say_json
from descend.errors import ConfigError

if TYPE_CHECKING:
    from descend.formula.curves import Curve


@options.takes("plot", "json")
def curves(
    words: Annotated[
        list[str] | None, Argument(metavar="NAME", help="A curve, or words that its description has; all if none.")
    ] = None,
    *,
    plot: list[str] | None,
    json: bool,
) -> None:
    """List the named curves that formulas may call, or show one: its formula, what it is for, its parameters.

    Example: descend curves voigt --plot voigt.png
    Example: descend curves enzyme
    """
    check_pictures(plot, {})
    check_outputs({"--plot": plot}, [])
    from descend.formula.curves import CURVES, curves_found, nearest

    words_given = " ".join(words or ())
    named = nearest(words_given, exactly=True) if words_given else None
    curves_listed = (
        [named] if named is not None else curves_found(words_given) if words_given else list(CURVES.values())
    )
    if not curves_listed:
        near = nearest(words_given)
        hint = f" Did you mean `{near.name}`?" if near is not None else ""
        raise ConfigError(
            f"There is no curve `{words_given}`, nor one described so.{hint} `descend curves` lists them all."
        )
    if plot and named is None:
        raise ConfigError(f"Which curve is to be drawn? Name one, such as `descend curves {curves_listed[0].name}`.")
    if json:
        say_json(named.as_dict() if named is not None else [each.as_dict() for each in curves_listed])
    else:
        say("\n".join(map(folded, described(named) if named is not None else listed(curves_listed))))
    for place in plot or ():
        from descend.report import plots
        from descend.report.named_curves import plot_curve

        assert named is not None
        plots.save(plot_curve(named), place)
        if not json:
            say(f"Plot drawn to {place}")


def listed(curves_listed: list[Curve]) -> Iterator[str]:
    """Yield the lines of a list, by field of science."""
    from descend.formula.curves import fields

    width = max(len(curve.name) for curve in curves_listed)
    for field, curves in fields().items():
        if own := [curve for curve in curves if curve in curves_listed]:
            yield field
            yield from (f"  {curve.name:<{width}}  {curve.title}" for curve in own)


def described(curve: Curve) -> Iterator[str]:
    """Yield the lines that describe a curve."""
    yield f"{curve.title}: {curve.name}"
    yield ""
    yield f"y = {curve.formula}"
    yield ""
    for argument in curve.arguments:
        default = f"; {argument.default} if left out" if argument.default else ""
        yield f"  {argument.name}: {argument.meaning} ({argument.unit}{default})"
    yield from (f"  {setting.typed}: {setting.meaning}" for setting in curve.settings)
    yield ""
    yield f"For: {curve.use}."
    if curve.other_names:
        yield f"Also called: {', '.join(curve.other_names)}."
    yield f"Source: {curve.source}."
    ranges = [f"{argument.name} from {argument.start}" for argument in curve.parameters if argument.start]
    yield f"Start: {'; '.join(ranges) or 'searched for where the units of the data suggest'}."
    yield f'Fit: descend fit "y ~ {curve.short}" data.csv'
