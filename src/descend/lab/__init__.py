"""The web lab: a descent to look at and play with, in the browser.

    state               everything that a page shows, as the query of its address
    data/               the rows: made, from a file, pasted, or carried by a link
    descents/           the runs of a state, by `descend.fit`; all groups; other valleys; the same outside the lab
    figures/            what the browser draws: the film, frame by frame, and the figures that stand still below it
    page/               the layout of the page, and the answers to its controls
    words/              the texts of the page, in English and Chinese
    serving/            the server: who may ask, how much, whose turn it is, and what is answered beside Dash
    assets/             the style of the page, and the scripts that play films, steps by hand and data of one's own

It is a Dash app: `page.layout` lays the page out, `page.callbacks` answers, and what moves is drawn by its own scripts.
The browser plays a film that is computed once per change, so that playing needs no server. Every answer depends on
the request alone: on what the address says, and on uploaded rows by a key that nobody can guess.
"""

from __future__ import annotations
