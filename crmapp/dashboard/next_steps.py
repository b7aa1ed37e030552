"""What an administrator can do next, by what there is."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for

from crmapp.leads.leads import LeadStatus

STOPPED = ("paused", "failed")


class Step(NamedTuple):
    text: str
    url: str
    icon: str
    urgent: bool = False


def of(
    leads: dict[str, int] | None, failed_mail: int, job_statuses: list[str], may_activate: bool
) -> list[Step]:
    """The steps, the most urgent first; none where nothing waits. `leads` are counts by status, None where they are not
    known."""
    leads = leads or {}
    return [*_troubles(leads, failed_mail, job_statuses), *_work(leads, may_activate)]


def _troubles(leads: dict[str, int], failed_mail: int, job_statuses: list[str]) -> list[Step]:
    steps = []
    if stopped := sum(status in STOPPED for status in job_statuses):
        text = f"{_counted(stopped, 'job')} stopped: go on with {_it(stopped)}, or cancel"
        steps.append(Step(text, url_for("jobs.index"), "pause-circle", True))
    if failed_mail:
        text = f"{_counted(failed_mail, 'e-mail')} could not be delivered: correct or drop"
        url = url_for("email_queue.index", state="failed")
        steps.append(Step(f"{text} {_it(failed_mail)}", url, "envelope-exclamation", True))
    if failed := leads.get(LeadStatus.FAILED, 0):
        text = f"{_counted(failed, 'lead')} could not be activated: correct {_it(failed)}"
        steps.append(Step(text, _leads(LeadStatus.FAILED), "person-exclamation", True))
    return steps


def _work(leads: dict[str, int], may_activate: bool) -> list[Step]:
    steps = []
    qualified = leads.get(LeadStatus.QUALIFIED, 0)
    if qualified and may_activate:
        text = f"Activate {_counted(qualified, 'qualified lead')}"
        steps.append(Step(text, _leads(LeadStatus.QUALIFIED), "person-check"))
    if new := leads.get(LeadStatus.NEW, 0):
        what = "Contact or activate" if may_activate else "Contact"
        text = f"{what} {_counted(new, 'new lead')}"
        steps.append(Step(text, _leads(LeadStatus.NEW), "telephone"))
    return steps


def _leads(status: LeadStatus) -> str:
    return url_for("leads.index", status=status.value)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _it(count: int) -> str:
    return "it" if count == 1 else "them"
