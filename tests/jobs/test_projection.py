"""Projections made by several processes at once never go backwards."""

import threading

import pytest

from crmapp.jobs.projection import project

KEY = {"_id": "numbers"}


@pytest.fixture
def source(db):
    """What is counted."""
    db.source.insert_one({"_id": 1, "count": 1})
    return db.source


def current(source):
    return {"count": source.find_one({"_id": 1})["count"]}


def test_each_change_is_a_revision_and_no_change_is_none(db, source):
    first = project(db.projections, KEY, lambda _: current(source))
    assert (first["rev"], first["count"]) == (1, 1)
    assert project(db.projections, KEY, lambda _: current(source)) is None
    source.update_one({}, {"$inc": {"count": 1}})
    second = project(db.projections, KEY, lambda _: current(source))
    assert (second["rev"], second["count"]) == (2, 2)
    assert second == db.projections.find_one(KEY)
    assert second["createdAt"] == first["createdAt"]
    assert project(db.projections, KEY, lambda stored: None) is None


def test_it_is_told_what_is_stored(db):
    seen = []
    project(db.projections, KEY, lambda stored: seen.append(stored) or {"count": 1})
    project(db.projections, KEY, lambda stored: seen.append(stored) or {"count": 2})
    assert seen[0] is None
    assert seen[1]["count"] == 1


@pytest.mark.parametrize("stored", [False, True])
def test_one_that_counted_before_another_wrote_counts_again(db, source, stored):
    if stored:
        project(db.projections, KEY, lambda _: {"count": 0})
    counted, go_on = threading.Event(), threading.Event()

    def slowly(_):
        fields = current(source)
        counted.set()
        go_on.wait(20)
        return fields

    slow = threading.Thread(target=project, args=(db.projections, KEY, slowly))
    slow.start()
    assert counted.wait(20)
    source.update_one({}, {"$set": {"count": 2}})
    newest = project(db.projections, KEY, lambda _: current(source))
    go_on.set()
    slow.join()
    assert db.projections.find_one(KEY) == newest
    assert newest["count"] == 2


def test_a_higher_revision_never_shows_an_older_count(db, source):
    written = []

    def work():
        for _ in range(25):
            source.update_one({}, {"$inc": {"count": 1}})
            if document := project(db.projections, KEY, lambda _: current(source)):
                written.append((document["rev"], document["count"]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written.sort()
    revs, counts = [rev for rev, _ in written], [count for _, count in written]
    assert revs == list(range(1, len(revs) + 1))
    assert counts == sorted(set(counts))
    assert counts[-1] == current(source)["count"] == 101
