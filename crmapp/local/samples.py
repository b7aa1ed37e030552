"""Made-up leads that look real, for a first look round. None of them can be mailed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

# Given names, family names and the telephone code of a region, so that each lead fits together.
REGIONS = [
    (
        "Olivia Amelia Harry George Charlotte Thomas Emily James Grace Daniel",
        "Smith Taylor Walker Hughes O'Brien Campbell Wright Bennett Clarke Ward",
        "+44 20",
    ),
    (
        "Jürgen Anneliese Käthe Lukas Sören Hannah Björn Jörg Mia Felix",
        "Müller Schäfer Weiß König Hoffmann Krüger Böhm Vogel Großmann Lange",
        "+49 30",
    ),
    (
        "Chloé Hélène François Noémie Benoît Zoé Théo Océane Loïc Manon",
        "Lefèvre Dubois Moreau Béranger Girard Fabre Lemaître Renaud Chevalier Roux",
        "+33 1",
    ),
    (
        "Lucía José Íñigo Begoña Andrés Sofía Martín Raúl Núria Joaquín",
        "García Núñez Fernández Ibáñez Peña Rodríguez Castaño Vázquez Ortiz Muñoz",
        "+34 91",
    ),
    (
        "Łukasz Agnieszka Michał Zofia Paweł Małgorzata Jędrzej Kinga Piotr Bożena",
        "Wójcik Kowalski Woźniak Dąbrowski Zieliński Król Wiśniewski Jabłoński Lis Górski",
        "+48 22",
    ),
    (
        "Åsa Søren Mårten Linnéa Jørgen Freja Göran Øystein Sigrid Håkan",
        "Ångström Sørensen Bergström Lindqvist Østergaard Nyström Dahl Hägg Strand Öberg",
        "+46 8",
    ),
    (
        "Ayşe Çağlar Gülşen İbrahim Özlem Deniz Şirin Emre Yağmur Kerem",
        "Yılmaz Şahin Öztürk Çelik Güneş Aydın Doğan Kılıç Arslan Koç",
        "+90 212",
    ),
    (
        "Priya Arjun Ananya Rohan Meera Vikram Lakshmi Sanjay Divya Rahul",
        "Sharma Iyer Patel Reddy Chatterjee Nair Kapoor Gupta Menon Singh",
        "+91 22",
    ),
    (
        "Haruka Kenji Yui Takeshi Sakura Daichi Aiko Ren Naoko Hiroshi",
        "Tanaka Satō Kobayashi Itō Yamamoto Ōno Nakamura Inoue Katō Shimizu",
        "+81 3",
    ),
    (
        "Chidi Adaeze Ngozi Kwame Amara Tunde Zainab Femi Ifeoma Kofi",
        "Okafor Adeyemi Mensah Nwosu Balogun Eze Boateng Abubakar Owusu Obi",
        "+234 1",
    ),
]
COMPANY_NAMES = """
    Northwind Bluebird Kestrel Hawthorn Lighthouse Juniper Silverline Meridian Copperfield Riverside
    Alpenrose Solstice Granite Marigold Skylark Fjord Baobab Sakura Terracotta Polaris Zephyr Cedar
"""
COMPANY_KINDS = """
    Logistics Consulting Foods Software Energy Textiles Optics Interiors Travel Robotics Print Media
    Pharma Tools Coffee Analytics
"""
SOURCES = {"website": 40, "referral": 20, "trade fair": 15, "newsletter": 15, "partner": 10}
STATUSES = {"new": 85, "contacted": 10, "qualified": 5}
NOTES = [
    "",
    "",
    "",
    "Asked for a price list.",
    "Met at the spring fair; wants a demo for a team of ten.",
    "Prefers to be called in the morning.",
    "Uses a spreadsheet today.\nBudget to be decided next quarter.",
    "Referred by an existing customer.",
    "Interested in the journal and goals.",
    "Speaks little English; write in their own language.",
]
PUBLIC_DOMAINS = ["example.com", "example.org", "example.net"]
# Letters that Unicode does not split into a plain letter and an accent.
PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "'": ""})


def sample_leads(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield `count` lead documents, the same for the same seed but for the time of day.

    E-mail addresses are unique and under example.com, .org, .net or .example (RFC 2606), so that
    none belongs to anybody. `createdAt` lies within the last 60 days.
    """
    rng = random.Random(seed)  # noqa: S311 (nothing secret)
    now = datetime.now(UTC).replace(microsecond=0)
    taken: set[str] = set()
    for _ in range(count):
        yield _lead(rng, now, taken)


def _lead(rng: random.Random, now: datetime, taken: set[str]) -> dict[str, Any]:
    given_names, family_names, code = rng.choice(REGIONS)
    given, family = rng.choice(given_names.split()), rng.choice(family_names.split())
    company = f"{rng.choice(COMPANY_NAMES.split())} {rng.choice(COMPANY_KINDS.split())}"
    return {
        "name": f"{given} {family}",
        "email": _address(rng, given, family, company, taken),
        "phone": f"{code} {rng.randrange(100, 1000)} {rng.randrange(1000, 10000)}",
        "company": company,
        "source": _weighted(rng, SOURCES),
        "status": _weighted(rng, STATUSES),
        "notes": rng.choice(NOTES),
        "createdAt": now - timedelta(seconds=rng.randrange(60 * 24 * 3600)),
    }


def _address(rng: random.Random, given: str, family: str, company: str, taken: set[str]) -> str:
    own_domain = _plain(company).replace(" ", "-") + ".example"
    domain = own_domain if rng.random() < 0.7 else rng.choice(PUBLIC_DOMAINS)
    name = f"{_plain(given)}.{_plain(family)}"
    address = f"{name}@{domain}"
    while address in taken:
        address = f"{name}{rng.randrange(2, 10 * len(taken) + 10)}@{domain}"
    taken.add(address)
    return address


def _plain(text: str) -> str:
    """Return `text` in small ASCII letters, as people write their names in an address."""
    letters = unicodedata.normalize("NFKD", text.translate(PLAIN)).encode("ascii", "ignore")
    return letters.decode().lower()


def _weighted(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
