"""E-mail addresses: the one form in which they are stored and compared."""

from __future__ import annotations

import re

import email_validator

# Whether mail can be delivered is found out by sending it: a .test or .local domain may well be
# served by the configured mail server.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# Plain addresses, nearly all of them, thirty times faster than the library does it. Nothing may
# match that the library would refuse or change: what has "--" may be Punycode and is left to it.
_ATOM = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(
    rf"(?!.*--)(?=.{{1,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*"
    rf"@(?:{_LABEL}\.)+{_LABEL}(?<=[a-z])"
)


LONGEST = 254  # RFC 3696, erratum 1690


class InvalidAddress(ValueError):
    """A text that is no e-mail address. Its own text says why, in a sentence."""


def normalise(text: str) -> str:
    """Return the address in the form in which it is stored and compared.

    Blanks around it are dropped, letters are small, the domain is in its Unicode form:
    " Ann@X.com" and "ann@x.com" are the same address. Raises InvalidAddress for a text that
    RFC 5321 and 5322 do not allow as an address, and for one without a dot in its domain.
    """
    address = text.strip().lower()
    if len(address) > LONGEST:
        raise InvalidAddress(f"An address has at most {LONGEST} characters.")
    if _PLAIN.fullmatch(address):
        return address
    try:
        return email_validator.validate_email(
            address, strict=True, check_deliverability=False
        ).normalized.lower()
    except email_validator.EmailNotValidError as error:
        raise InvalidAddress(str(error)) from None
