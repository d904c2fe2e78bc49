"""Groups whose own parameters have run to where nothing holds them, among very many that are well determined."""

from __future__ import annotations

import numpy as np

from descend.descent.outcome import Outcome
from descend.diagnosis.case import Case
from descend.diagnosis.cause import HEALTHY, Cause, Diagnosis
from descend.engines.arrow import Arrow
from descend.formula.trade_off import joined
from descend.identifiability.of_groups import levels_of, some_groups, step_of_arrow

NO_INFLUENCE = 1e-9
"""A parameter whose doubling changes the loss by less than this share of what its group adds to it has none."""
FAR = 1.0
"""Nor does the data hold one that a Gauss-Newton step would still change by more than so many times its size."""


def lost_groups(case: Case) -> Diagnosis:
    """Name the groups whose parameters hardly matter any more where a run came to rest; HEALTHY if there are none."""
    arrow = case.end.curvature
    if case.outcome not in (Outcome.STALLED, Outcome.EPOCHS_USED_UP) or not isinstance(arrow, Arrow):
        return HEALTHY
    layout = arrow.layout
    groups = layout.own.shape[1]
    reach = np.maximum(np.abs(case.last), case.plan.scales)
    idle = (arrow.diagonal() * reach**2 <= NO_INFLUENCE * abs(case.end.loss) / groups)[layout.own]
    free = arrow.diagonal() > 0.0
    if case.objective.bounds is not None:
        free &= ~case.objective.bounds.blocked(case.last, case.end.gradient)
    step = step_of_arrow(case.end, free)
    idle |= (np.abs(step) > FAR * reach)[layout.own]
    idle_groups = np.flatnonzero(idle.any(axis=0))
    if not idle_groups.size:
        return HEALTHY
    levels, owners = levels_of(case.model, layout)
    names = [name for name, group_components in zip(owners, idle, strict=True) if group_components.any()]
    which, it = some_groups(levels, idle_groups)
    evidence = {"loss": case.end.loss, "groups": int(idle_groups.size), "without_influence": names}
    sentence = f"{joined(names)} {'has' if len(names) == 1 else 'have'} run away in {which}."
    advice = (
        f"The rows of {which} do not hold {joined(names)} anywhere near where the descent began: leave {it} out, give "
        f"{it} a start of {'its' if it == 'it' else 'their'} own, or let groups share a parameter."
    )
    return Diagnosis(Cause.PLATEAU, evidence, sentence, advice)
