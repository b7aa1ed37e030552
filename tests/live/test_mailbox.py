"""A reader is sent the newest state of each topic, however far behind it is."""

import threading

import pytest

from crmapp.live import mailbox as mailboxes
from crmapp.live.events import make_event
from crmapp.live.mailbox import Mailbox
from crmapp.live.topics import Topic
from tests.support.waiting import until

A, B, C = Topic("session/a"), Topic("session/b"), Topic("session/c")


def event(topic, rev, type="progress"):
    return make_event(topic, type, rev, f'{{"rev":{rev}}}')


@pytest.fixture
def mailbox():
    mailbox = Mailbox(("everything",))
    mailbox.stale = False
    return mailbox


@pytest.fixture
def reader(mailbox):
    """A thread that sleeps on the mailbox; `reader` is set when it wakes up."""
    awake = threading.Event()
    threading.Thread(target=lambda: (mailbox.wait(), awake.set()), daemon=True).start()
    yield awake
    mailbox.ring()


def revs(events):
    return [(event.topic.name, event.rev) for event in events]


def test_a_slow_reader_costs_one_place_per_topic(mailbox):
    for rev in range(1000):
        assert mailbox.put(event(A, rev))
        mailbox.put(event(B, rev))
    assert revs(mailbox.take()) == [("session/a", 999), ("session/b", 999)]
    assert mailbox.take() == []


def test_what_is_older_than_what_waits_or_was_sent_is_dropped(mailbox):
    assert mailbox.put(event(A, 5))
    assert not mailbox.put(event(A, 4))
    assert not mailbox.put(event(A, 5))
    mailbox.take()
    assert not mailbox.put(event(A, 5))
    assert not mailbox.put(event(A, 3))
    assert mailbox.put(event(B, 1))
    assert mailbox.put(event(A, 6))
    assert revs(mailbox.take()) == [("session/b", 1), ("session/a", 6)]


def test_topics_come_in_the_order_in_which_they_began_to_wait(mailbox):
    for topic in (C, A, B, C):
        mailbox.put(event(topic, 1 if topic != C else 2))
    assert [name for name, _ in revs(mailbox.take())] == ["session/c", "session/a", "session/b"]


def test_the_last_state_is_told_as_progress_and_as_the_end():
    last = event(A, 7, "complete")
    assert last.final
    assert last.frame.decode().count('data:{"rev":7}') == 2
    assert last.frame.decode().index("event:progress") < last.frame.decode().index("event:complete")
    assert not event(A, 6).final


def test_a_bell_wakes_a_sleeping_reader(mailbox, reader):
    until(lambda: mailbox._asleep)
    mailbox.put(event(A, 1))
    assert not reader.is_set()
    mailbox.ring()
    assert reader.wait(10)
    assert revs(mailbox.take()) == [("session/a", 1)]


def test_a_reader_with_something_to_do_does_not_sleep(mailbox):
    mailbox.put(event(A, 1))
    mailbox.wait()
    mailbox.take()
    mailbox.stale = True
    mailbox.wait()


def test_bells_that_nobody_waited_for_are_no_reason_to_wake_up_later(mailbox):
    for _ in range(5):
        mailbox.ring()
    woken = threading.Event()
    threading.Thread(target=lambda: (mailbox.wait(), woken.set()), daemon=True).start()
    until(lambda: mailbox._asleep)
    assert not woken.is_set()
    mailbox.ring()
    assert woken.wait(10)


def test_a_busy_reader_is_left_in_peace_for_a_moment(mailbox, monkeypatch):
    monkeypatch.setattr(mailboxes, "MIN_INTERVAL_SECONDS", 1000)
    mailbox.take()
    mailbox.put(event(A, 1))
    sleeper = threading.Thread(target=mailbox.wait, daemon=True)
    sleeper.start()
    until(lambda: mailbox._asleep or not sleeper.is_alive())
    assert sleeper.is_alive()
    mailbox.ring()
    sleeper.join(10)
    assert not sleeper.is_alive()
