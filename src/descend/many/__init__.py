"""One fit for each group of a table, all of them in one call.

A request comes in by ``call``; ``refusals`` says what many fits cannot be asked for, and ``where_rows_lie`` decides
whether groups are fitted in memory (``grouped``, ``fitting``), as rows stream through it (``groups_elsewhere``,
``streamed``) or by sums of their database (``summed_by_database``).

- How they descend together: ``batch_code`` writes what is summed over the rows of each group, ``rows_in_bands`` and
  ``sums`` evaluate it for blocks of groups, ``descent`` takes the steps, ``descending_groups`` runs all of it.
- Where they begin, and when again: ``starts``, ``first_step``, ``neighbours``; ``second_look``, ``doubtful_groups``.
- What is kept: ``kept_minima`` judges ends, ``outcomes`` holds them; ``criteria``, ``correlations``, ``quantities``.
- What a user holds: ``fitted`` and ``fits``; ``saving`` and ``loading``, ``prediction``, ``text``, ``pictures``, pages.
"""

from descend.many.call import fit_groups
from descend.many.fits import Fits
from descend.many.loading import load

__all__ = ["Fits", "fit_groups", "load"]
