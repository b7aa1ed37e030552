"""An activation is undone while its users set passwords, and while its worker is dead."""

import os
import random
import threading
import time

import pytest

from crmapp.accounts import tokens, users
from crmapp.activation.step import UNDO_MARGIN
from crmapp.clock import now
from crmapp.mailqueue import queue
from tests.support.steered import Steered, snapshot
from tests.support.visitor import Caller, Visitor
from tests.support.waiting import until
from tests.support.work import run_jobs

ROUNDS = 40 if os.environ.get("CHAOS") else 4
LEADS = 200
QUICK, BY_FORM = 30, 4
PASSWORD = "blue-whale-singing"


@pytest.fixture
def site(db, new_site):
    return new_site(UNDO_SECONDS="600")


@pytest.fixture
def api(site, admin):
    return Caller(site, admin)


def test_users_set_passwords_at_the_same_moment(site, db, api, new_leads):
    """Each is either kept, named and signed in, or gone and told so; never half."""
    for number in range(ROUNDS):
        new_leads(LEADS, source=str(number), status="contacted")
        before = snapshot(db, source=str(number))
        job = Steered(db, api.activate(filter={"source": str(number)}), before)
        run_jobs(site)
        early, late, *others = db.users.aggregate(
            [{"$match": {"activationId": job.id}}, {"$sample": {"size": 2 + QUICK + BY_FORM}}]
        )
        kept = {early["_id"]: choose(db, early)}
        presses = [Form(site, person) for person in others[:BY_FORM]]
        assert api.post(f"/crm/jobs/{job.id}/undo", {}).status_code == 200

        def choose_all(kept=kept, others=others):
            for person in others[BY_FORM:]:
                time.sleep(random.uniform(0, 0.004))
                kept[person["_id"]] = choose(db, person)

        threads = [
            threading.Thread(target=work) for work in (choose_all, *(f.send for f in presses))
        ]
        for thread in threads:
            thread.start()
        run_jobs(site)
        for thread in threads:
            thread.join()
        kept |= {form.person["_id"]: form.was_taken for form in presses}
        kept[late["_id"]] = choose(db, late)
        assert (kept[early["_id"]], kept[late["_id"]]) == (True, False)

        there = {person for person, is_kept in kept.items() if is_kept}
        assert job.status == "cancelled"
        assert set(db.users.distinct("_id", {"activationId": job.id})) == there
        assert db.users.distinct("status", {"activationId": job.id}) == ["active"]
        named = {"jobId": job.id, "state": "kept", "reason": "in_use"}
        assert set(db.job_errors.distinct("leadId", named)) == there
        assert job.document["undo"] == {"removed": LEADS - len(there), "left": len(there)}
        job.assert_nothing_lost()


def choose(db, person):
    chosen = users.choose_password(db, person["_id"], person["inviteNonce"], "hash")
    return chosen is not None


class Form:
    """The page of an invitation, open in the browser of `person`."""

    def __init__(self, site, person):
        with site.app_context():
            token = tokens.sign_invitation(person["_id"], person["inviteNonce"])
        self.person = person
        self.was_taken = None
        self._browser, self._link = Visitor(site), f"/invitation/{token}"
        self._csrf_token = self._browser.csrf_token(self._link)

    def send(self):
        fields = {"csrf_token": self._csrf_token}
        fields |= {"password": PASSWORD, "password_again": PASSWORD}
        answer = self._browser.client.post(self._link, data=fields)
        assert answer.status_code in (302, 410), answer.text
        self.was_taken = answer.status_code == 302


def test_no_invitation_leaves_after_the_press_whatever_dies(new_site, db, admin, new_leads):
    site = new_site(UNDO_SECONDS="2")
    api = Caller(site, admin)
    new_leads(LEADS)
    before = snapshot(db)
    job = Steered(db, api.activate(), before)
    run_jobs(site)
    assert api.post(f"/crm/jobs/{job.id}/undo", {}).status_code == 200
    # The runner dies, and a sender is faster than the next one.
    until(lambda: now() > job.document["undoUntil"] + UNDO_MARGIN)
    assert queue.claim(db, 10, 60) == []
    run_jobs(site)
    assert job.document["undo"] == {"removed": LEADS, "left": 0}
    assert snapshot(db) == before
