"""Leads: their states."""

from __future__ import annotations

from enum import StrEnum


class LeadStatus(StrEnum):
    NEW = "new"  # nobody has spoken with them
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    ACTIVATING = "activating"  # held by an activation that is under way
    ACTIVE = "active"  # has become a user
    FAILED = "failed"  # could not be activated; `job_errors` says why
