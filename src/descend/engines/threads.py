"""Work on many rows shared among the processors, with an answer that does not depend on how many there are."""

from __future__ import annotations

import _thread
import itertools
import os
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from descend.table.memory import keep_memory

if TYPE_CHECKING:
    import threadpoolctl

Answer = TypeVar("Answer")
MOST = 16
"""Threads beyond which Python itself, running one at a time, would be the bottleneck."""


def processors() -> int:
    """Return how many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return min(MOST, len(allowed(0)) if allowed is not None else os.cpu_count() or 1)


def in_turn(tasks: int, worker: Callable[[], Callable[[int], Answer]], threads: int | None = None) -> list[Answer]:
    """Return work(0), work(1), ..., each computed by whichever thread is free; BLAS adds no threads of its own.

    worker: called once in each thread; returns ``work``, which can thus have memory of its own.

    BLAS's threads wait for each other at every product, which takes a hundred times longer than the product when the
    processors are busy; ours meet once, at the end, and one that comes too late to help is not waited for. The settings
    of ``np.errstate`` hold in them too.

    >>> in_turn(4, lambda: lambda number: number * number, threads=2)
    [0, 1, 4, 9]
    """
    answers: dict[int, Answer] = {}
    numbers = itertools.count()
    errors: list[BaseException] = []
    begin = threading.Lock()
    helping: list[threading.Event] = []

    def run() -> None:
        try:
            first_worker = worker()
            while (number := next(numbers)) < tasks and not errors:
                answers[number] = first_worker(number)
        except BaseException as error:
            errors.append(error)

    def help_on() -> None:
        finished = threading.Event()
        with begin:
            if over:
                return
            helping.append(finished)
        try:
            run()
        finally:
            finished.set()

    over = False
    keep_memory()
    with one_thread_each:
        try:
            for _ in range(min(threads or processors(), tasks) - 1):
                # `Thread.start` would wait until the thread runs, which on busy processors takes longer than the work.
                _thread.start_new_thread(copy_context().run, (help_on,))
            run()
        except BaseException as error:
            errors.append(error)
        with begin:
            over = True
        for finished in helping:
            while not finished.is_set():
                try:
                    finished.wait()
                except BaseException as error:  # Ctrl-C: the others stop after what they are at
                    errors.append(error)
    if errors:
        raise errors[0]
    return [answers[number] for number in range(tasks)]


class Alone:
    """Let each thread that calls BLAS work alone, as long as any thread is inside this context.

    The first to enter sets the limit and the last to leave lifts it: it holds for the whole process.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.within = 0
        self.before: list[tuple[threadpoolctl.LibController, int]] = []

    def __enter__(self) -> None:
        with self.lock:
            self.within += 1
            if self.within == 1:
                counted = [(each, each.get_num_threads()) for each in _libraries("scipy.linalg" in sys.modules)]
                self.before = [(each, threads) for each, threads in counted if threads != 1]
                for each, _ in self.before:
                    each.set_num_threads(1)

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.within -= 1
            if self.within == 0:
                for each, threads in self.before:
                    each.set_num_threads(threads)


one_thread_each = Alone()


@lru_cache(maxsize=2)
def _libraries(with_scipy: bool) -> list[threadpoolctl.LibController]:
    """Return each BLAS that is loaded by now; SciPy has one of its own."""
    from threadpoolctl import ThreadpoolController

    return [each for each in ThreadpoolController().lib_controllers if each.user_api == "blas"]
