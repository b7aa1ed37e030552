"""What a form, or a program, says of a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crmapp.accounts.users import Role, UserStatus
from crmapp.addresses import LONGEST, InvalidAddress, normalise
from crmapp.database import Document
from crmapp.forms import needed, one_of, read_each
from crmapp.requests import BadInput, text

NEW = ("name", "email", "role")
CHANGEABLE = ("name", "role", "status")
LONGEST_NAME = 200
STATUSES = (UserStatus.ACTIVE, UserStatus.DISABLED)


def new(values: Mapping[str, Any]) -> Document:
    """The name, e-mail address and role of somebody to be added. Raises BadFields."""
    return read_each(
        {
            "name": lambda: name(values),
            "email": lambda: _email(values),
            "role": lambda: role(values),
        }
    )


def changed(values: Mapping[str, Any]) -> Document:
    """What of CHANGEABLE `values` hold. Raises BadFields, and BadInput where it is nothing."""
    readers: dict[str, Callable[[], Any]] = {
        "name": lambda: name(values),
        "role": lambda: role(values),
        "status": lambda: one_of(values, "status", STATUSES),
    }
    wanted = read_each({field: read for field, read in readers.items() if field in values})
    if not wanted:
        raise BadInput(f"Say what is to be changed: {', '.join(CHANGEABLE)}.")
    return wanted


def role(values: Mapping[str, Any]) -> Role:
    """Raises BadInput."""
    return Role(one_of(values, "role", list(Role)))


def name(values: Mapping[str, Any]) -> str:
    """Raises BadInput."""
    return needed(text(values, "name", LONGEST_NAME), "Please enter a name.")


def _email(values: Mapping[str, Any]) -> str:
    typed = needed(text(values, "email", 2 * LONGEST), "Please enter an e-mail address.")
    try:
        return normalise(typed)
    except InvalidAddress as error:
        raise BadInput(str(error)) from None
