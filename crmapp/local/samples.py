"""Made-up leads that look real, with a journal and goals, for a first look round. None of them can be mailed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crmapp.leads import words

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
TAGS = {"": 60, "newsletter": 15, "spring fair": 10, "wants a demo": 10, "VIP": 5}
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
TOPICS = """
    the price list|a demo for their team|the contract|importing their old data|reports for the board
    the pilot in spring|an offer for forty seats|training for new staff|single sign-on|the delayed delivery
"""
# How an entry of each kind begins, and what may follow.
OPENINGS = {
    "call": [
        "Called about {topic}.",
        "They called: questions about {topic}.",
        "Tried three times, reached them at last. Spoke about {topic}.",
        "Short call; {topic} is what they care about.",
    ],
    "note": [
        "Sent the papers on {topic}.",
        "A colleague of theirs mentioned {topic}.",
        "Remember for next time: {topic}.",
        "Found an article that fits {topic} and passed it on.",
    ],
    "meeting": [
        "Met at their office. Main point: {topic}.",
        "Video meeting with {name} and two colleagues about {topic}.",
        "Lunch at the fair; went through {topic}.",
        "Demo on site. Most of the time went into {topic}.",
    ],
}
FOLLOWING = [
    "They compare us with two others and decide by the end of the quarter.",
    "The budget is approved; the signature is missing.",
    "Very friendly, in no hurry.",
    "Not satisfied with how long our last answer took. Apologised and gave a direct number.",
    "{company} grows and needs twice as many seats next year.",
    "Asked whether the data stays in the country. Yes, and sent the certificate.",
    "Wants everything in writing: naïve pricing models annoy them, “no surprises, s'il vous plaît”.",
    "Their IT reviews our security paper; expect questions.",
    "Would act as a reference once they are live. 🎉",
]
NEXT_STEPS = [
    "Next step: call again on Monday.",
    "Next step: send an offer, valid for 30 days.",
    "Next step: they come back to us.",
    "Next step: arrange a meeting with their head of finance.",
    "",
    "",
]
KINDS = {"call": 50, "note": 30, "meeting": 20}
# Title, unit, and the targets that are usual.
GOALS = [
    ("Win new customers", "customers", (5, 8, 10, 12, 20)),
    ("Call leads that have waited for a month", "calls", (40, 60, 100)),
    ("Revenue from new contracts", "EUR", (25_000, 50_000, 120_000)),
    ("Hold demos", "demos", (6, 10, 15)),
    ("Bring back former customers", "customers", (2, 3, 5)),
    ("Write down every meeting in the journal", "meetings", (20, 30)),
    ("Collect references", "references", (2, 4)),
    ("Leads from the autumn fair contacted", "leads", (80, 150)),
]
GOAL_NOTES = [
    "",
    "",
    "Agreed in the yearly talk.",
    "Counts only what is signed.\nRenewals do not count.",
    "Reviewed together on the first Monday of each month.",
    "A stretch: eight of ten would be fine.",
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
    created = now - timedelta(seconds=rng.randrange(60 * 24 * 3600))
    lead = {
        "name": f"{given} {family}",
        "email": _address(rng, given, family, company, taken),
        "phone": f"{code} {rng.randrange(100, 1000)} {rng.randrange(1000, 10000)}",
        "company": company,
        "source": _weighted(rng, SOURCES),
        "status": _weighted(rng, STATUSES),
        "notes": rng.choice(NOTES),
        "tags": sorted({_weighted(rng, TAGS) for _ in range(2)} - {""}),
        "createdAt": created,
        "updatedAt": created,
    }
    return {**lead, "words": words.of(lead)}


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


def sample_journal(
    leads: Sequence[dict[str, Any]], people: Sequence[dict[str, Any]], count: int, seed: int = 7
) -> Iterator[dict[str, Any]]:
    """Yield `count` entries that some of the `people` (users) wrote about some of the `leads`, none of them before
    its lead was there. Nothing where there are no leads or no people."""
    rng = random.Random(seed)  # noqa: S311 (nothing secret)
    for _ in range(count if leads and people else 0):
        yield _entry(rng, rng.choice(leads), rng.choice(people))


def _entry(rng: random.Random, lead: dict[str, Any], author: dict[str, Any]) -> dict[str, Any]:
    kind = _weighted(rng, KINDS)
    first = lead["createdAt"]
    since = (datetime.now(UTC) - first) / timedelta(minutes=1)
    at = first + timedelta(minutes=int(since * rng.random()))
    return {
        "leadId": lead["_id"],
        "kind": kind,
        "text": _words(rng, kind, lead),
        "at": at,
        "authorId": author["_id"],
        "authorName": author["name"],
        "createdAt": at,
        "updatedAt": at,
    }


def _words(rng: random.Random, kind: str, lead: dict[str, Any]) -> str:
    topics = [topic.strip() for topic in TOPICS.replace("\n", "|").split("|") if topic.strip()]
    middle = rng.sample(FOLLOWING, rng.randrange(3))
    said = " ".join([rng.choice(OPENINGS[kind]), *middle])
    text = "\n".join(filter(None, [said, rng.choice(NEXT_STEPS)]))
    return text.format(topic=rng.choice(topics), name=lead["name"], company=lead["company"])


def sample_goals(
    people: Sequence[dict[str, Any]], count: int, seed: int = 7
) -> Iterator[dict[str, Any]]:
    """Yield `count` goals of the `people` (users): open, reached and over. Nothing where there are no people."""
    rng = random.Random(seed)  # noqa: S311 (nothing secret)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(count if people else 0):
        yield _goal(rng, today, rng.choice(people))


def _goal(rng: random.Random, today: datetime, person: dict[str, Any]) -> dict[str, Any]:
    title, unit, targets = rng.choice(GOALS)
    target = rng.choice(targets)
    first = today - timedelta(days=rng.randrange(5, 150))
    return {
        "userId": person["_id"],
        "title": title,
        "target": target,
        "unit": unit,
        "progress": round(target * rng.choice((0, 0.2, 0.4, 0.5, 0.7, 0.9, 1, 1.1))),
        "from": first,
        "to": first + timedelta(days=rng.choice((30, 90, 91, 180))),
        "notes": rng.choice(GOAL_NOTES),
        "createdAt": first,
        "createdBy": {"id": person["_id"], "name": person["email"]},
        "updatedAt": first,
    }
