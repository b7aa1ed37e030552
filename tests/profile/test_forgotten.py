"""The forgotten password."""

from __future__ import annotations

import re
import threading

import pytest
from itsdangerous import TimestampSigner

from crmapp.accounts import tokens, users
from crmapp.accounts.users import Role
from crmapp.mailqueue.letter import Unneeded
from crmapp.profile import reset, reset_letter
from tests.conftest import PASSWORD
from tests.support.waiting import until

NEW = "four more wet umbrellas"


@pytest.fixture
def ask(visitor, db):
    """Asks on the page; waits for the thread that does what is to be done."""

    def asked(email):
        answer = visitor.submit("/forgot", email=email)
        working = [each for each in threading.enumerate() if each.name == "reset"]
        for thread in working:
            thread.join(10)
        return answer

    return asked


@pytest.fixture
def link(site, db):
    """The link in the newest letter."""

    def newest():
        mail = db.pending_emails.find_one({"template": "password_reset"}, sort=[("_id", -1)])
        with site.app_context():
            ((_, letter),) = reset_letter.compose(db, [mail])
        found = re.search(r"http\S+(/password/\S+)", letter.text)
        assert found
        return found[1]

    return newest


def replace(visitor, link, password=NEW):
    return visitor.submit(link, password=password, password_again=password)


def test_the_whole_way(visitor, admin, ask, link, site, ann, new_visitor):
    assert ask(admin.email).status_code == 200
    opened = link()
    stranger = new_visitor()
    assert admin.email in stranger.get(opened).get_data(as_text=True)
    assert replace(stranger, opened).location == "/crm"
    assert stranger.get_json("/crm/leads").status_code == 200
    until(lambda: ann.get_json("/crm/leads").status_code == 401, 3, "the old sessions are ended")
    login = {"email": admin.email, "password": NEW}
    assert site.test_client().post("/api/login", json=login).status_code == 200


def test_nobody_learns_who_has_an_account(ask, admin, new_person, db):
    gone = new_person("gone@example.com")
    db.users.update_one({"_id": gone.key}, {"$set": {"status": "disabled"}})
    asked = (admin.email, "stranger@example.com", gone.email)
    pages = {ask(email).get_data(as_text=True) for email in asked}
    # The CSRF token of the page is another each time.
    assert len({re.sub(r'content="[^"]{40,}"', "", page) for page in pages}) == 1
    assert [mail["email"] for mail in db.pending_emails.find()] == [admin.email]


def test_the_answer_does_not_wait_for_what_is_done(visitor, admin, db, monkeypatch):
    """How long that takes would tell who has an account."""
    answered, ended, send = threading.Event(), threading.Event(), reset.send

    def send_later(db, address):
        answered.wait(10)
        send(db, address)
        ended.set()

    monkeypatch.setattr(reset, "send", send_later)
    assert visitor.submit("/forgot", email=admin.email).status_code == 200
    assert db.pending_emails.count_documents({}) == 0
    answered.set()
    assert ended.wait(10)
    assert db.pending_emails.count_documents({}) == 1


def test_who_was_invited_gets_an_invitation_instead(ask, db):
    invited = users.new_user("ivy@example.com", "Ivy", Role.USER)
    db.users.insert_one(invited)
    ask("ivy@example.com")
    assert [mail["template"] for mail in db.pending_emails.find()] == ["invitation"]


def test_a_link_works_once_and_only_the_newest(visitor, admin, ask, link):
    ask(admin.email)
    first = link()
    ask(admin.email)
    second = link()
    assert "There is a newer link" in visitor.get(first).get_data(as_text=True)
    assert replace(visitor, second).status_code == 302
    for opened in (first, second):
        assert visitor.get(opened).status_code == 410
    assert "was used already" in visitor.get(second).get_data(as_text=True)


def test_looking_at_a_link_does_not_use_it_up(visitor, admin, ask, link):
    ask(admin.email)
    opened = link()
    for _ in range(3):
        assert visitor.get(opened).status_code == 200
    for password in ("short", "Welcome2026!", admin.email):
        assert replace(visitor, opened, password).status_code == 422
    assert replace(visitor, opened).status_code == 302


def test_an_old_link_says_so(visitor, admin, ask, link, monkeypatch):
    class Earlier(TimestampSigner):
        def get_timestamp(self):
            return super().get_timestamp() - tokens.RESET_SECONDS - 60

    ask(admin.email)
    signer = tokens._signer_of("the secret of the tests", "reset")
    monkeypatch.setattr(signer, "signer", Earlier)
    opened = link()
    monkeypatch.undo()
    answer = visitor.get(opened)
    assert answer.status_code == 410
    assert "too old" in answer.get_data(as_text=True)


def test_a_disabled_users_link_and_another_kind_of_token_open_nothing(
    visitor, admin, ask, link, db, site
):
    ask(admin.email)
    opened = link()
    db.users.update_one({"_id": admin.key}, {"$set": {"status": "disabled"}})
    assert replace(visitor, opened).status_code == 410
    with site.app_context():
        invitation = tokens.sign_invitation(admin.key, "x")
    assert visitor.get(f"/password/{invitation}").status_code == 410


def test_too_many_letters_are_not_sent(ask, admin, db):
    for _ in range(5):
        assert ask(admin.email).status_code == 200
    assert db.pending_emails.count_documents({}) == 3


def test_one_computer_does_not_ask_for_everybody(ask):
    statuses = [ask(f"somebody{number}@example.com").status_code for number in range(21)]
    assert statuses == [200] * 20 + [429]


def test_what_is_no_address_is_said(ask):
    answer = ask("nonsense")
    assert answer.status_code == 422
    assert "no e-mail address" in answer.get_data(as_text=True)


def test_no_usable_link_is_kept(ask, admin, link, db):
    ask(admin.email)
    token = link().rpartition("/")[2]
    for name in db.list_collection_names():
        assert token not in str(list(db[name].find()))


def test_a_replaced_password_needs_no_letter_any_more(site, db, admin, ask, link):
    ask(admin.email)
    mail = db.pending_emails.find_one()
    with site.app_context():
        reset.replace(db, link().rpartition("/")[2], NEW, NEW)
        ((_, letter),) = reset_letter.compose(db, [mail])
    assert isinstance(letter, Unneeded)


def test_the_sign_in_leads_there(visitor):
    assert 'href="/forgot"' in visitor.get("/login").get_data(as_text=True)
    assert PASSWORD not in visitor.get("/forgot").get_data(as_text=True)
