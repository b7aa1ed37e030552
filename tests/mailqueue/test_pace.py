"""The pause between two mails, after the server complained."""

import pytest

from crmapp.mailqueue import pace
from crmapp.mailqueue.pace import FIRST_GAP, LONGEST_GAP, Pace


@pytest.fixture
def clock(monkeypatch):
    """The time, which stands until the test moves it."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def test_at_first_nobody_waits(clock):
    assert [Pace().take_turn() for _ in range(3)] == [0, 0, 0]


def test_every_complaint_doubles_the_pause_up_to_a_limit(clock):
    speed = Pace()
    gaps = []
    for _ in range(12):
        assert speed.slow_down()
        gaps.append(speed.gap)
        clock.now += 1
    assert gaps[:3] == [FIRST_GAP, 2 * FIRST_GAP, 4 * FIRST_GAP]
    assert gaps[-1] == LONGEST_GAP


def test_one_complaint_on_eight_connections_is_one(clock):
    speed = Pace()
    assert [speed.slow_down() for _ in range(8)] == [True] + [False] * 7
    assert speed.gap == FIRST_GAP


def test_turns_are_apart_by_the_pause_whoever_takes_them(clock):
    speed = Pace()
    speed.slow_down()
    assert [round(speed.take_turn(), 3) for _ in range(3)] == [0, 0.1, 0.2]
    clock.now += 10
    assert speed.take_turn() == 0


def test_mail_that_is_taken_leads_back_to_full_speed_and_says_so_once(clock):
    speed = Pace()
    assert not speed.went_well()
    speed.slow_down()
    news = [speed.went_well() for _ in range(60)]
    assert speed.gap == 0
    assert news.count(True) == 1
