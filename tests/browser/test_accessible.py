"""Every page of the product, with axe-core: light and wide, dark and narrow; and none is wider than its window."""

import smtplib
from email.message import EmailMessage

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from crmapp.accounts import tokens
from crmapp.clock import now
from crmapp.jobs import jobs
from crmapp.mailqueue.queue import MailEvent, event
from tests.support.mails import queue_mails

WIDE, MEDIUM, NARROW = 1440, 768, 360
LONG = "an-address-that-is-rather-long-and-has-no-space-in-it@a-company-with-a-long-name.example"
FILE = ("leads.csv", b"name;email;company\nEve;eve@example.com;Acme\nBob;no address;Acme\n")


@pytest.fixture
def environ(environ, parts):
    """Mail is caught, and nothing moves by itself."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "crm@example.com", LONG, "Welcome"
    message.set_content("Open https://crm.example/invitation/" + "a" * 200)
    with smtplib.SMTP(parts.mail_server, parts.mail_port) as smtp:
        smtp.send_message(message)
    kept = {name: value for name, value in environ.items() if not name.startswith("MAIL_")}
    return {**kept, "RUN_WORKERS": "0"}


@pytest.fixture
def mails(db):
    """One of each state."""
    sent, failed, _, busy = queue_mails(
        db, ["sent@example.com", LONG, "b@example.com", "c@x.example"]
    )
    db.pending_emails.delete_many({"_id": {"$in": [sent["_id"], failed["_id"]]}})
    db.pending_emails.update_one({"_id": busy["_id"]}, {"$set": {"status": "processing"}})
    db.events.insert_one({**event(sent, MailEvent.SENT, "250 Ok: queued"), "_id": sent["_id"]})
    db.events.insert_one(event(failed, MailEvent.FAILED, "550 No such user", "mailbox_unknown"))
    why = {"reason": "mailbox_unknown", "error": "550 No such user here", "attempts": 1}
    db.failed_emails.insert_one({**failed, **why, "lastAttemptDate": now(), "dropped": False})
    return sent, failed


@pytest.fixture
def job(db, admin):
    """A job of the past, with what was skipped and failed."""
    done = jobs.new_job(jobs.new_id("activation"), "activation", admin.key, admin.name, {}, 3)
    done |= {"status": "completed", "phase": "over", "startTime": now(), "endTime": now()}
    done |= {"duration": 4200, "counts": {"total": 3, "activated": 1, "skipped": 1, "failed": 1}}
    db.jobs.insert_one(done)
    row = {"jobId": done["_id"], "email": LONG, "words": "The address has no domain."}
    db.job_errors.insert_many(
        {**row, "_id": f"{done['_id']} {state}", "state": state, "reason": reason}
        for state, reason in (("skipped", "already_active"), ("failed", "invalid_email"))
    )
    return done["_id"]


@pytest.fixture
def pages(db, site, new_leads, mails, job, admin, program):
    """The paths of all pages of the back office, with something on each."""
    # Caught mail is for superadmins.
    db.users.update_one({"_id": admin.key}, {"$set": {"role": "superadmin"}})
    (lead,) = new_leads(1, name="Zoë O’Neill", email=LONG, tags=["vip"], notes="Met twice.\nWarm.")
    for status in ("contacted", "qualified", "active", "failed"):
        new_leads(1, status=status, activatedAt=now())
    (running,) = new_leads(1)
    active = program.activate(leadIds=[str(running)])
    told = {"at": now().isoformat(), "kind": "call", "text": "Asked about the price. " * 30}
    entry = _made(program, "/crm/journal", {**told, "leadId": str(lead)})
    period = {"from": "2026-01-01", "to": "2026-12-31"}
    goal = {
        "userId": admin.id,
        "title": "Win ten",
        "unit": "customers",
        "target": 10,
        "progress": 4,
    }
    goal_id = _made(program, "/crm/goals", {**goal, **period})
    document = {"type": "goals", "sourceId": goal_id, "title": "Win ten", "text": "4 of 10 " * 40}
    document |= {"ownerId": admin.key, "date": now(), "syncedAt": now(), "metadata": {}}
    db.documents.insert_one(document)
    imported = program.http.post(program.url + "/crm/leads/imports", files={"file": FILE}).json()
    caught = program.get("/local/mail", headers={"Accept": "text/html"})
    message = caught.text.partition('href="/local/mail/')[2].partition('"')[0]
    queue = [f"/crm/email-queue?state={s}" for s in ("pending", "failed", "sent")]
    return [
        *("/crm", "/crm/search?q=win", "/crm/search?q=zzz", "/nothing/here"),
        *("/crm/leads", "/crm/leads?tag=vip", "/crm/leads?q=zzz", "/crm/leads/new"),
        *(f"/crm/leads/{lead}", "/crm/leads/import"),
        f"/crm/leads/imports/{imported['data']['id']}",
        *("/crm/journal", "/crm/journal?q=zzz", f"/crm/journal/{entry}", "/crm/journal/new"),
        *("/crm/goals", "/crm/goals?q=zzz", f"/crm/goals/{goal_id}", "/crm/goals/new"),
        *("/sync", "/sync?q=zzz", "/crm/jobs", "/crm/jobs/history", "/crm/jobs/history?type=goals"),
        *(f"/crm/jobs/{active}", f"/crm/jobs/{job}", *queue),
        *(f"/crm/users/{mails[0]['userId']}", "/local/mail", f"/local/mail/{message}"),
        *("/crm/users", "/crm/users?q=zzz", "/crm/audit", "/crm/audit?q=zzz", "/profile"),
    ]


def _made(program, path, body):
    answer = program.post(path, body)
    assert answer.ok, answer.text
    return answer.json()["data"]["id"]


# What is wrong, as [rule, element].
ASK_AXE = """
() => axe.run({resultTypes: ["violations"]}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map(({html}) => [id, html])))
"""


class Checked:
    """A page that is looked at wide and narrow, light and dark. What is wrong is kept in `faults`."""

    def __init__(self, page):
        self.page = page
        self.faults = []

    def check(self, url):
        self._light(True)
        self._resize(WIDE)
        answer = self.page.goto(url, wait_until="domcontentloaded")
        if answer.status not in (200, 404, 410):
            self.faults.append(f"{url} answers {answer.status}")
        self.page.evaluate(AXE_SCRIPT)
        self.ask_axe(f"{url}, light and wide")
        for width in (WIDE, MEDIUM, NARROW):
            self._resize(width)
            if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                self.faults.append(f"{url} is wider than {width}")
        self._light(False)
        self.ask_axe(f"{url}, dark and narrow")

    def ask_axe(self, where):
        self.faults += [f"{where}: {id}: {html}" for id, html in self.page.evaluate(ASK_AXE)]

    def _light(self, light):
        scheme = "light" if light else "dark"
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def _resize(self, width):
        self.page.set_viewport_size({"width": width, "height": 800})


def test_every_page_is_accessible_and_fits(db, site, pages, mails, new_desk):
    desk = new_desk()
    checked = Checked(desk.page)
    invited = db.users.find_one({"_id": mails[1]["userId"]})
    with site.app_context():
        link = tokens.sign_invitation(invited["_id"], invited["inviteNonce"])
    for path in (
        "/login",
        "/forgot",
        "/password/damaged",
        "/invitation/damaged",
        f"/invitation/{link}",
    ):
        checked.check(desk.url + path)
    desk.sign_in()
    for path in pages:
        checked.check(desk.url + path)
    desk.page.keyboard.press("?")
    expect(desk.page.locator("#keys-dialog")).to_be_visible()
    checked.ask_axe("the list of keys")
    assert not checked.faults, "\n".join(checked.faults)
