"""Who asks at the same moment shares one read, and nobody gets an answer older than the question."""

import sys
import threading

import pytest

from crmapp.live.coalesce import Coalescer
from tests.support.waiting import until


class Source:
    """Something whose reading can be held up."""

    def __init__(self):
        self.value = 1
        self.reads = 0
        self.held = threading.Event()
        self.held.set()

    def read(self):
        self.reads += 1
        value = self.value
        if not self.held.wait(20):
            raise TimeoutError
        return value


class Asker(threading.Thread):
    def __init__(self, coalescer, read, key="key"):
        super().__init__(daemon=True)
        self.answer = self.error = None
        self._ask = lambda: coalescer.read(key, read)
        self.start()

    def run(self):
        try:
            self.answer = self._ask()
        except Exception as error:
            self.error = error

    def is_waiting(self):
        """Whether it is inside of the coalescer, waiting for something."""
        frame = sys._current_frames().get(self.ident)
        waits = frame is not None and frame.f_code.co_name == "wait"
        while frame and not frame.f_code.co_filename.endswith("coalesce.py"):
            frame = frame.f_back
        return waits and frame is not None


@pytest.fixture
def coalescer():
    return Coalescer()


@pytest.fixture
def source():
    source = Source()
    yield source
    source.held.set()


def test_one_after_another_each_reads_anew(coalescer, source):
    assert coalescer.read("key", source.read) == 1
    source.value = 2
    assert coalescer.read("key", source.read) == 2
    assert source.reads == 2


def test_many_share_the_next_read_and_get_what_is_true_after_they_asked(coalescer, source):
    source.held.clear()
    first = Asker(coalescer, source.read)
    until(lambda: source.reads == 1)
    source.value = 2
    late = [Asker(coalescer, source.read) for _ in range(20)]
    until(lambda: all(asker.is_waiting() for asker in late))
    source.held.set()
    for asker in (first, *late):
        asker.join(20)
    assert first.answer == 1
    assert [asker.answer for asker in late] == [2] * 20
    assert source.reads == 2


def test_a_read_that_began_before_the_question_is_no_answer_to_it_in_the_second_round_either(
    coalescer, source
):
    source.held.clear()
    first = Asker(coalescer, source.read)
    until(lambda: source.reads == 1)
    second = Asker(coalescer, source.read)
    until(second.is_waiting)
    held, source.held = source.held, threading.Event()
    held.set()
    until(lambda: source.reads == 2)
    source.value = 3
    third = Asker(coalescer, source.read)
    until(third.is_waiting)
    source.held.set()
    for asker in (first, second, third):
        asker.join(20)
    assert (first.answer, second.answer, third.answer) == (1, 1, 3)
    assert source.reads == 3


def test_different_keys_do_not_wait_for_each_other(coalescer, source):
    source.held.clear()
    slow = Asker(coalescer, source.read, "slow")
    until(lambda: source.reads == 1)
    assert coalescer.read("quick", lambda: "quick") == "quick"
    assert slow.is_alive()


def test_a_fault_reaches_all_who_shared_it_and_nobody_else(coalescer, source):
    source.held.clear()
    first = Asker(coalescer, source.read)
    until(lambda: source.reads == 1)

    def fail():
        raise RuntimeError("no database")

    late = [Asker(coalescer, fail) for _ in range(3)]
    until(lambda: all(asker.is_waiting() for asker in late))
    source.held.set()
    for asker in (first, *late):
        asker.join(20)
    assert (first.answer, first.error) == (1, None)
    assert [str(asker.error) for asker in late] == ["no database"] * 3
    assert coalescer.read("key", source.read) == 1


def test_nothing_is_kept_of_what_was_answered(coalescer, source):
    for key in range(100):
        coalescer.read(key, source.read)
    assert not coalescer._current
    assert not coalescer._next
