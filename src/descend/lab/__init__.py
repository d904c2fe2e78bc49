"""The web lab: a descent to look at and play with, in the browser.

    state     everything a page shows, as the query of its address        -> State
    problems  built-in problems, each a recipe of `descend generate`       -> Problem
    data      rows to descend on: generated, from a file, or uploaded      -> Rows
    descents  the runs of a state, from `descend.fit`                      -> Descents
    film      what the browser plays: figures, and what moves in them      -> dict
    landscape, rates, valley     J around the paths; the scale of rates; whether there is a deeper valley
    equations, endings, copies   a step with its numbers; how it ended; the same as a command line
    controls                     what messages call the options of the page
    elements, layout, texts      the page, in English and Chinese
    callbacks                    what the page asks, and its answers
    security, server             who may ask; serving it

The browser plays a film that was computed once per change, so that playing asks the server for nothing. Every answer
depends on the question alone: on what the address says, and on uploaded rows by a key that nobody can guess.
"""

from __future__ import annotations
