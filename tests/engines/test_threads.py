"""Work that threads share: its answer, its errors, and how many threads BLAS has while it lasts and afterwards."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from descend.engines import threads
from descend.engines.threads import in_turn, one_thread_each


def blas():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_answers_come_in_order_whoever_is_first(count):
    begun = []

    def worker():
        begun.append(threading.current_thread())
        return lambda number: number**2

    assert in_turn(9, worker, threads=count) == [k**2 for k in range(9)]
    assert len(set(begun)) == len(begun) <= count


def test_an_error_in_any_thread_is_raised_here():
    def work(number):
        if number == 5:
            raise ValueError("five")
        return number

    with pytest.raises(ValueError, match="five"):
        in_turn(9, lambda: work, threads=3)


def test_an_interrupt_stops_every_thread_after_what_it_is_at():
    done = []

    def work(number):
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.001)
        done.append(number)

    before = blas()
    with pytest.raises(KeyboardInterrupt):
        in_turn(100_000, lambda: work, threads=3)
    assert len(done) < 100_000 and blas() == before


def test_an_interrupt_while_others_are_waited_for_leaves_none_at_work():
    both, main, done = threading.Barrier(2), threading.main_thread(), []

    def work(number):
        both.wait()
        if threading.current_thread() is not main:
            time.sleep(0.05)
            signal.pthread_kill(main.ident, signal.SIGINT)
            time.sleep(0.05)
            done.append(number)

    with pytest.raises(KeyboardInterrupt):
        in_turn(2, lambda: work, threads=2)
    assert len(done) == 1


def test_what_numpy_is_to_say_of_overflow_holds_in_every_thread():
    with np.errstate(over="ignore"):
        assert in_turn(4, lambda: lambda number: np.exp(np.array([1000.0]))[0], threads=2) == [np.inf] * 4


def test_blas_has_one_thread_within_and_its_own_again_after_the_last_has_left():
    before = blas()
    with one_thread_each:
        with one_thread_each:
            assert set(blas()) == {1}
        assert set(blas()) == {1}
    assert blas() == before


def test_no_more_threads_than_processors_or_than_python_can_feed():
    assert 1 <= threads.processors() <= threads.MOST
