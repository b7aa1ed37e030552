"""The page of the e-mail queue, as administrators use it."""

import re

import pytest
from bson import ObjectId
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner
from playwright.sync_api import expect

from crmapp.accounts.tokens import INVITATION_SECONDS
from crmapp.clock import now
from tests.support.waiting import until


@pytest.fixture
def new_failed(db):
    """Creates invited users whose mail has failed; returns the ids of the mails."""

    def new(count, reason="mailbox_unknown"):
        mails = []
        for number in range(count):
            user_id, mail_id = ObjectId(), ObjectId()
            email = f"{reason}{number}@example.com"
            user = {"_id": user_id, "name": f"Person {number}", "email": email, "role": "user"}
            state = {"status": "invited", "inviteNonce": str(user_id), "sessionVersion": 1}
            db.users.insert_one({**user, **state, "leadId": user_id, "createdAt": now()})
            mails.append(
                {
                    "_id": mail_id,
                    "userId": user_id,
                    "email": email,
                    "template": "invitation",
                    "sessionId": None,
                    "messageId": f"<{mail_id}@example.com>",
                    "attempts": 1,
                    "createdAt": now(),
                    "lastAttemptDate": now(),
                    "reason": reason,
                    "error": "550 5.1.1 no such user",
                    "dropped": False,
                }
            )
        db.failed_emails.insert_many(mails)
        return [str(mail["_id"]) for mail in mails]

    return new


def failed_tab(desk):
    return desk.page.locator(".tabs a[data-state=failed]")


def row(desk, mail_id):
    return desk.page.locator(f"tr.mail[data-id='{mail_id}']")


def test_one_admin_sees_what_the_other_does(smtp, new_failed, new_person, desk, new_desk):
    first, second, _ = new_failed(3)
    new_person("bob@example.com")
    bob = new_desk().sign_in("bob@example.com").open("/crm/email-queue?state=failed")
    desk.open("/crm/email-queue?state=failed")
    desk.page.locator("#queue-pause").click()
    expect(bob.page.locator("#queue-health")).to_have_attribute("data-state", "paused")
    desk.page.locator("#queue-resume").click()
    expect(bob.page.locator("#queue-resume")).to_be_hidden()
    row(desk, first).locator(".row-retry").click()
    expect(row(bob, first)).to_have_count(0)
    row(desk, second).locator(".row-drop").click()
    desk.page.locator("#confirm-drop").click()
    expect(row(bob, second)).to_have_count(0)
    expect(failed_tab(bob)).to_have_attribute("data-count", "1")


def test_a_selection_stays_put_while_the_queue_changes(smtp, new_failed, desk, program):
    ids = new_failed(4)
    desk.open("/crm/email-queue?state=failed")
    row(desk, ids[0]).locator("input").check()
    program.post("/crm/email-queue/failed/retry", {"ids": [ids[3]]})
    expect(row(desk, ids[3])).to_have_class(re.compile("gone"))
    expect(row(desk, ids[0]).locator("input")).to_be_checked()
    expect(desk.page.locator("#show-changes")).to_have_text("1 change · show")
    desk.page.locator("#show-changes").click()
    expect(row(desk, ids[3])).to_have_count(0)
    expect(row(desk, ids[0]).locator("input")).to_be_checked()


def test_a_group_is_retried(smtp, new_failed, desk):
    new_failed(2)
    new_failed(3, "mailbox_full")
    desk.open("/crm/email-queue?state=failed")
    desk.page.locator(".group[data-reason=mailbox_full] .group-retry").click()
    expect(desk.page.locator(".toast-message")).to_contain_text("Requeued 3")
    expect(failed_tab(desk)).to_have_attribute("data-count", "2")


def test_an_address_is_corrected_with_the_keyboard_alone(smtp, new_failed, desk):
    (mail_id,) = new_failed(1)
    desk.open("/crm/email-queue?state=failed")
    row(desk, mail_id).locator(".row-correct").focus()
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("nonsense")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#correct-error")).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(row(desk, mail_id).locator(".row-correct")).to_be_focused()
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("right@example.com")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".toast-message")).to_contain_text("right@example.com")
    expect(failed_tab(desk)).to_have_attribute("data-count", "0")


def test_all_that_match_are_retried_and_not_only_those_of_the_page(smtp, new_failed, desk):
    new_failed(60)
    new_failed(2, "mailbox_full")
    desk.open("/crm/email-queue?state=failed&reason=mailbox_unknown")
    desk.page.locator("#queue-list thead input[type=checkbox]").check()
    desk.page.locator("#select-matching").click()
    desk.page.locator("#retry-selected").click()
    expect(desk.page.locator(".toast-message")).to_contain_text("Requeued 60")
    expect(failed_tab(desk)).to_have_attribute("data-count", "2")


def test_a_row_tells_what_happened_to_its_mail(db, smtp, new_failed, desk):
    (mail_id,) = new_failed(1)
    mail = db.failed_emails.find_one({})
    told = {name: mail[name] for name in ("userId", "sessionId", "messageId", "email", "template")}
    attempt = {"mailId": mail["_id"], "type": "failed", "attempt": 1, "at": now()}
    db.events.insert_one({**told, **attempt, "reply": "550 5.1.1 nobody of that name"})
    desk.open("/crm/email-queue?state=failed")
    opener = row(desk, mail_id).locator(".row-open")
    opener.focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_text("550 5.1.1 nobody of that name")).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")


def test_every_page_says_while_the_mail_server_is_away(smtp, new_failed, desk):
    new_failed(3)
    smtp.stop()
    desk.open("/crm/leads")
    banner = desk.page.locator("#system-banner")
    expect(banner).to_be_hidden()
    desk.page.evaluate(
        """() => fetch("/crm/email-queue/failed/retry", {
            method: "POST",
            headers: {
                "Content-Type": "application/json",
                "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
            },
            body: JSON.stringify({ filter: {} }),
        })"""
    )
    expect(banner).to_contain_text("The mail server does not answer", timeout=15_000)
    expect(banner).to_contain_text("nothing was lost")
    desk.page.reload()
    expect(banner).to_be_visible()
    smtp.start()
    expect(banner).to_be_hidden(timeout=30_000)
    expect(desk.page.locator("#queue-badge")).to_have_attribute("data-total", "0")


def test_an_invitation_is_sent_again_from_the_users_page(db, smtp, new_failed, desk):
    new_failed(1)
    user = db.users.find_one({"status": "invited"})
    desk.open(f"/crm/users/{user['_id']}")
    expect(desk.page.locator("#connection")).to_have_attribute("data-state", "live")
    desk.page.locator("[data-do=invite]").click()
    expect(desk.page.locator(".toast-message")).to_contain_text("tried again")
    until(lambda: smtp.taken[user["email"]])
    assert db.users.find_one({"_id": user["_id"]})["inviteNonce"] != user["inviteNonce"]


class LastWeek(TimestampSigner):
    def get_timestamp(self):
        return super().get_timestamp() - INVITATION_SECONDS - 60


def test_who_has_an_old_link_asks_for_a_new_one_and_it_works(
    db, app, smtp, new_failed, server, new_desk
):
    new_failed(1)
    user = db.users.find_one({"status": "invited"})
    db.failed_emails.delete_many({})
    guest = new_desk()
    signer = URLSafeTimedSerializer(app.secret_key, salt="crmapp.invitation", signer=LastWeek)
    expired = signer.dumps([str(user["_id"]), user["inviteNonce"]])
    guest.page.goto(f"{server.url}/invitation/{expired}")
    guest.page.get_by_role("button", name=re.compile("new invitation", re.IGNORECASE)).click()
    expect(guest.page.locator("main")).to_contain_text("m•••@example.com")
    mail = until(lambda: smtp.taken[user["email"]])[0]
    link = re.search(r"http\S+/invitation/\S+", mail.text())
    assert link
    guest.page.goto(link[0])
    expect(guest.page.get_by_label("Password", exact=True)).to_be_visible()
