"""`descend range-test`: the loss at learning rates that rise, beside the rate that the curvature tells."""

from __future__ import annotations

from descend.cli import options
from descend.cli.outputs import check_outputs, check_pictures
from descend.cli.terminal import folded, say, say_json
from descend.options.option import Option
from descend.options.request import OPTIONS


@options.takes(
    *(key for key in options.FITTING if OPTIONS[key].range_tested),
    Option("low", None, "The first rate; a thousandth of the largest stable one if not given.", "number", "NUMBER"),
    Option("high", None, "The last rate; ten times the largest stable one if not given.", "number", "NUMBER"),
    Option("steps", 100, "How many steps, each at a rate larger by the same factor.", "whole", "N"),
    "plot",
    "json",
)
def range_test(
    formula: options.Model,
    data: options.Data,
    *,
    low: float | None,
    high: float | None,
    steps: int,
    plot: list[str] | None,
    json: bool,
    **given: object,
) -> None:
    """Test learning rates: steps at rates that rise, and where the loss falls fastest and where it diverges.

    The rate beyond which steps over all rows are unstable, by the curvature at the start, is told beside.

    Example: descend range-test "y ~ w*x + b" line.csv --plot rates.png
    Example: descend range-test net.py:net images.csv --response label --loss cross_entropy --batch-size 32
    """
    check_pictures(plot, {})
    check_outputs({"--plot": plot}, data)
    from descend.api import range_test as tested

    range_tested = tested(
        data=options.one_or_all(data), low=low, high=high, steps=steps, **options.fitting(formula, data, given)
    )
    if json:
        say_json(range_tested.as_dict())
    else:
        say("\n".join(map(folded, str(range_tested).split("\n"))))
    for picture_path in plot or ():
        range_tested.plot(picture_path)
        if not json:
            say(f"Plot drawn to {picture_path}")
