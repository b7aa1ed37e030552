"""MAIL_MAX_PER_MINUTE, shared by everybody through MongoDB."""

import threading
import time

from crmapp.mailqueue import rate


def test_what_was_taken_is_gone_until_its_time_comes(db):
    assert rate.take(db, 50, 600) == (9, 0.0)  # a second's worth
    granted, wait = rate.take(db, 50, 600)
    assert granted == 0
    assert 0.5 < wait <= 1.0
    time.sleep(wait)
    assert rate.take(db, 50, 600)[0] == 9


def test_a_low_limit_gives_one_at_a_time(db):
    assert rate.take(db, 50, 6) == (1, 0.0)
    assert 9 < rate.take(db, 50, 6)[1] <= 10.5


def test_nobody_gets_more_than_they_asked_for_and_pays_for_that_only(db):
    assert rate.take(db, 2, 6000) == (2, 0.0)
    assert rate.take(db, 2, 6000)[1] <= 0.022


def test_those_who_take_at_once_share_the_limit(db):
    """Over half a minute's worth: more than a minute allows in that time is never granted."""
    per_minute, seconds = 1200, 3.0
    granted, stop_at = [], time.monotonic() + seconds

    def take():
        while time.monotonic() < stop_at:
            count, wait = rate.take(db, 8, per_minute)
            granted.append(count)
            time.sleep(min(wait, 0.1))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    allowed = per_minute * (seconds + rate.BURST_SECONDS) / 60
    assert 0.5 * per_minute * seconds / 60 < sum(granted) <= allowed


def test_any_minute_holds_no_more_than_the_limit():
    for per_minute in (1, 7, 60, 600, 10_000):
        longest = 60 + rate.BURST_SECONDS + rate.GOOD_FOR_SECONDS
        assert longest * 1000 / rate.spacing_ms(per_minute) <= per_minute + 1e-9
