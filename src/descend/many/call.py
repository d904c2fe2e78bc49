"""Many fits of a request and a table."""

from __future__ import annotations

import time

from descend.many.fits import Fits
from descend.many.placing import fit_placed
from descend.options.request import Request
from descend.registry import split_list
from descend.table import Table


def fit_groups(request: Request, table: Table) -> Fits:
    """Fit each group of a table that ``request.by`` names. Raises DescendError for what fits none of them."""
    from descend.problem.response_levels import with_levels

    began = time.perf_counter()
    texts = [request.by] if isinstance(request.by, str) else request.by or ()
    names = [name for text in texts for name in ([text] if text in table.names else split_list(text))]
    by = list(dict.fromkeys(names))
    work, outcomes, notes = with_levels(lambda readable: fit_placed(request, readable, by), request, table)
    return Fits(work, outcomes, time.perf_counter() - began, notes)
