"""Which passwords may be chosen."""

import pytest

from crmapp.accounts.passwords import PasswordRefused, check_choice

ABOUT = ("Olivia Smith", "olivia.smith@example.com")


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse",
        "Ünsere Katze",
        "aaaaaaaaab12",
        "smith and wesson",
        "kräuter 4 tea",
        "welcome947183",
        "!#&/()=?+-.,",
        "dragon-481-fruit",
        "x" * 9 + "yz",
    ],
)
def test_what_is_long_and_ones_own_is_taken(password):
    check_choice(password, password, *ABOUT)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("x1y2z3a4b", "at least 10"),
        ("xy" * 101, "at most 200"),
        ("1234567890", "Many people"),
        ("QWERTYUIOP", "Many people"),
        ("aaaaaaaaaaaa", "Many people"),
        ("abababababab", "Many people"),
        ("12345678901234", "Many people"),
        ("zyxwvutsrqp", "Many people"),
        ("university", "Many people"),
        ("Welcome2026!", "Many people"),
        ("!!Password123!!", "Many people"),
        ("oliviasmith1", "mostly your name"),
        ("Olivia.Smith@example.com", "mostly your name"),
        ("olivia@smith!", "mostly your name"),
        ("crmapp2026", "mostly your name"),
    ],
)
def test_what_is_short_common_or_known_is_refused(password, said):
    with pytest.raises(PasswordRefused, match=said):
        check_choice(password, password, *ABOUT)
