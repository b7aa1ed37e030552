"""When a mail, and when a mail server, is tried again."""

import pytest

from crmapp.mailqueue.backoff import outage_delay, retry_delay

HOUR = 3600


@pytest.mark.parametrize(
    ("attempts", "middle"), [(1, 30), (2, 60), (3, 120), (4, 240), (10, 4 * HOUR), (500, 4 * HOUR)]
)
def test_a_retry_waits_twice_as_long_each_time(attempts, middle):
    delays = [retry_delay(attempts, 30) for _ in range(200)]
    assert all(0.75 * middle <= delay <= 1.25 * middle for delay in delays)


def test_mails_that_failed_together_do_not_come_back_together():
    delays = [retry_delay(1, 30) for _ in range(200)]
    assert max(delays) - min(delays) > 10
    assert len(set(delays)) > 150


def test_a_server_that_is_away_is_tried_every_minute_in_the_end():
    assert [outage_delay(failures) for failures in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert outage_delay(1000) == 60
