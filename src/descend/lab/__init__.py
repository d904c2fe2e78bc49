"""The web lab: a descent to look at and play with, in the browser.

    state     everything that a page shows, as the query of its address    -> State
    problems  built-in problems, each a recipe of `descend generate`       -> Problem
    data      rows to descend on: generated, from a file, or uploaded      -> Rows
    descents  the runs of a state, made by `descend.fit`                   -> Descents
    film      what the browser plays: figures, and what moves in them      -> JSON
    scenes, stills               the picture of the rows; figures as they stand still, and JSON
    hand                         steps that the reader chooses, and where gd would have gone
    pasted, shelf                data from a spreadsheet; data that links carry
    phrases, scripted            what the page says by itself; its parts that are brought to life by its own scripts
    limits, gate                 how much a reader may ask; who may come in to a public lab
    turn, routes                 whose turn it is to compute; what pages ask for beside Dash
    landscape, rates, valley     J around the paths; the scale of rates; whether a deeper valley is known
    equations, endings, copies   a step in numbers; how a descent ended; the same descent as a command line
    controls                     the words for options in messages, which are those of the page
    elements, layout, texts      the page, in English and Chinese
    callbacks                    the requests of the page, and their answers
    security, server             which requests are answered; serving the page

The browser plays a film that is computed once per change, so that playing needs no server. Every answer depends on
the request alone: on what the address says, and on uploaded rows by a key that nobody can guess.
"""

from __future__ import annotations
