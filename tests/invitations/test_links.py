"""An invitation's link, from the mail to the signed-in user."""

import re
import threading

import pytest
from bson import json_util
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

from crmapp.accounts import tokens, users
from crmapp.accounts.users import Role
from tests.support.visitor import Visitor
from tests.support.waiting import until

CHOSEN = "blue-whale-singing"
CHOICE = {"password": CHOSEN, "password_again": CHOSEN}


@pytest.fixture
def invited(db):
    person = users.new_user("ivy@example.com", "Ivy", Role.USER)
    db.users.insert_one(person)
    return person


@pytest.fixture
def link(site, invited):
    with site.app_context():
        return f"/invitation/{tokens.sign_invitation(invited['_id'], invited['inviteNonce'])}"


def stored(db, person):
    return db.users.find_one({"_id": person["_id"]})


def test_looking_at_the_link_never_uses_it_up(db, new_visitor, link, invited):
    for _ in range(3):
        page = new_visitor().get(link)
        assert page.status_code == 200
        assert "ivy@example.com" in page.get_data(as_text=True)
    new_visitor().client.head(link)
    assert stored(db, invited) == invited


def test_the_post_sets_the_password_and_signs_in(db, visitor, link, invited):
    answer = visitor.submit(link, **CHOICE)
    assert (answer.status_code, answer.location) == (302, "/welcome")
    welcome = visitor.get("/welcome")
    assert welcome.status_code == 200
    assert "Your password is set" in welcome.get_data(as_text=True)
    assert stored(db, invited)["status"] == "active"
    visitor.submit("/logout", page="/welcome")
    assert visitor.sign_in("ivy@example.com", CHOSEN).location == "/welcome"


def test_a_used_link_says_so_and_changes_nothing(db, new_visitor, link, invited):
    stranger = new_visitor()
    token = stranger.csrf_token(link)
    new_visitor().submit(link, **CHOICE)
    after = stored(db, invited)
    late = stranger.client.post(
        link, data={"csrf_token": token, "password": "another-one", "password_again": "another-one"}
    )
    for answer in (late, new_visitor().get(link)):
        assert answer.status_code == 410
        assert "was used already" in answer.get_data(as_text=True)
    assert stored(db, invited) == after


def test_a_link_that_a_newer_one_has_replaced_does_not_count(db, visitor, link, invited):
    csrf_token = visitor.csrf_token(link)
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"inviteNonce": users.new_nonce()}})
    late = visitor.client.post(link, data={"csrf_token": csrf_token, **CHOICE})
    assert (late.status_code, visitor.get(link).status_code) == (410, 410)
    assert stored(db, invited)["passwordHash"] is None


@pytest.mark.parametrize("spoil", [lambda link: link[:-1], lambda link: link.replace(".", "x.", 1)])
def test_a_damaged_or_forged_link_says_so(visitor, link, spoil):
    answer = visitor.get(spoil(link))
    assert answer.status_code == 410
    assert "This link does not work" in answer.get_data(as_text=True)


def test_a_token_of_another_kind_is_no_invitation(site, visitor, invited):
    with site.app_context():
        bearer = tokens.issue_bearer(f"{invited['_id']}.1")
    assert "This link does not work" in visitor.get(f"/invitation/{bearer}").get_data(as_text=True)


def test_the_link_of_a_user_who_was_removed_does_not_work(db, visitor, link):
    db.users.delete_many({})
    assert "This link does not work" in visitor.get(link).get_data(as_text=True)


def test_an_expired_link_says_so(site, visitor, invited):
    class LastWeek(TimestampSigner):
        def get_timestamp(self):
            return super().get_timestamp() - tokens.INVITATION_SECONDS - 60

    signer = URLSafeTimedSerializer(site.secret_key, salt="crmapp.invitation", signer=LastWeek)
    old = signer.dumps([str(invited["_id"]), invited["inviteNonce"]])
    answer = visitor.get(f"/invitation/{old}")
    assert answer.status_code == 410
    assert "has expired" in answer.get_data(as_text=True)


def test_of_posts_at_once_exactly_one_wins(db, new_visitor, link, invited):
    visitors = [new_visitor() for _ in range(6)]
    csrf = [each.csrf_token(link) for each in visitors]
    together, answers = threading.Barrier(len(visitors)), {}

    def post(number):
        password = f"password number {number}"
        fields = {"csrf_token": csrf[number], "password": password, "password_again": password}
        together.wait()
        answers[number] = visitors[number].client.post(link, data=fields).status_code

    threads = [threading.Thread(target=post, args=(number,)) for number in range(len(visitors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [302] + [410] * 5
    (winner,) = [number for number, status in answers.items() if status == 302]
    right = new_visitor().sign_in("ivy@example.com", f"password number {winner}")
    assert right.location == "/welcome"
    assert stored(db, invited)["sessionVersion"] == 2


@pytest.mark.parametrize(
    ("password", "again", "complaint"),
    [
        ("short", "short", "at least 10 characters"),
        ("", "", "at least 10 characters"),
        ("x" * 201, "x" * 201, "at most 200 characters"),
        ("blue-whale-singing", "blue-whale-dancing", "The two passwords differ"),
        ("Welcome2026!", "Welcome2026!", "Many people use this password"),
        ("ivy@example.com", "ivy@example.com", "mostly your name"),
    ],
)
def test_password_rules(db, visitor, link, invited, password, again, complaint):
    answer = visitor.submit(link, password=password, password_again=again)
    assert answer.status_code == 422
    assert complaint in answer.get_data(as_text=True)
    assert stored(db, invited) == invited


def test_the_longest_password_counts_to_its_last_character(visitor, new_visitor, link):
    longest = "üäö" * 66 + "üa"
    visitor.submit(link, password=longest, password_again=longest)
    assert new_visitor().sign_in("ivy@example.com", longest).status_code == 302
    assert new_visitor().sign_in("ivy@example.com", "ü" * 199 + "b").status_code == 401


def test_the_address_of_the_page_is_kept_secret_and_works_over_https(visitor, link):
    page = visitor.get(link)
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert page.headers["Cache-Control"] == "no-store"
    secure = {"base_url": "https://crm.example.com"}
    html = visitor.client.get(link, **secure).get_data(as_text=True)
    token = re.search(r'name="csrf-token" content="([^"]+)"', html)[1]
    # With that policy a browser tells the origin and no path.
    answer = visitor.client.post(
        link,
        data={"csrf_token": token, **CHOICE},
        headers={"Referer": "https://crm.example.com/"},
        **secure,
    )
    assert answer.status_code == 302


def test_no_password_and_no_link_is_kept_anywhere(db, smtp, server, program, new_leads, site):
    new_leads(1)
    session_id = program.activate()
    until(lambda: program.progress(session_id)["completed"])
    (mail,) = smtp.taken["lead0@example.com"]
    text = mail.message.get_body(("plain",)).get_content()
    link = re.search(r"/invitation/(\S+)", text)
    assert link[0] in mail.message.get_body(("html",)).get_content()

    def everything():
        kept = {name: list(db[name].find()) for name in db.list_collection_names()}
        return json_util.dumps(kept) + server.log.read_text()

    assert "lead0@example.com" in everything()
    assert link[1] not in everything()
    assert Visitor(site).submit(link[0], **CHOICE).location == "/welcome"
    assert CHOSEN not in everything()
    assert link[1] not in everything()


def test_a_superseded_link_is_not_called_used(db, visitor, link, invited):
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"inviteNonce": users.new_nonce()}})
    page = visitor.get(link)
    assert page.status_code == 410
    assert "was used already" not in page.text
    assert "a newer invitation" in page.text.lower()
