import pytest

from crmapp.leads.headings import Columns, understood


def columns(*headings: str) -> Columns:
    return Columns(understood(headings))


@pytest.mark.parametrize(
    ("field", "headings"),
    [
        (
            "email",
            "Email|E-Mail|e_mail|EMAIL ADDRESS|E-mail Address|Email 1|Email (2)|E-mail 1 - Value"
            "|Work email|Business Email|Primary Email|Contact Email|Person - Email"
            "|Person - Email - Work|Email Addresses|E-Mail-Adresse|Correo electrónico|Courriel"
            "|Adresse e-mail|Secondary Email|Email*|personal_email|Email ID",
        ),
        (
            "name",
            "Name|Full name|FULL_NAME|Contact name|Lead Name|Person - Name|Contact|Display Name"
            "|Customer Name|Ansprechpartner|Nom complet|Lead - Contact person|First Name"
            "|FirstName|Given Name|Last Name|Surname|Vorname|Nachname|Prénom|Nom|Nombre|Nome",
        ),
        (
            "phone",
            "Phone|Phone 1|Phone 1 - Value|Phone Number|Business Phone|Mobile|Mobile Phone"
            "|MobilePhone|Mobile Phone Number|Person - Phone - Mobile|Telephone|Tel.|Cell"
            "|Telefon|Telefonnummer|Teléfono|Téléphone|Handy|Telefon geschäftlich|Home Phone",
        ),
        (
            "company",
            "Company|Company / Account|Company Name|Account Name|Account|Organization|Organisation"
            "|Organization Name|Organization 1 - Name|Person - Organization|Associated Company"
            "|Firma|Unternehmen|Société|Entreprise|Empresa|Employer|Business Name",
        ),
        (
            "source",
            "Source|Lead Source|LeadSource|Lead - Source|Original Source|Original Traffic Source"
            "|Quelle|Herkunft|Origine|Origen|Fuente",
        ),
        ("status", "Status|Lead Status|lead_status|Contact Status"),
        (
            "notes",
            "Notes|Note|Description|Comments|Bemerkungen|Notizen|Kommentar|Commentaire"
            "|Observaciones|Lead Description",
        ),
    ],
)
def test_the_usual_names_of_a_column(field, headings):
    for heading in headings.split("|"):
        assert columns(heading).values(["text"]) == {field: "text"}, heading


@pytest.mark.parametrize(
    "heading",
    [
        "",
        "123",
        "Email Opt Out",
        "E-mail 1 - Type",
        "E-mail Display Name",
        "Email Status",
        "Lead Owner",
        "Owner Email",
        "Lead Owner Email",
        "Business Fax",
        "Assistant's Phone",
        "Company Size",
        "Company ID",
        "Account ID",
        "Username",
        "Nickname",
        "Title",
        "Address 1",
        "Source ID",
        "Status Changed On",
        "Last Modified",
    ],
)
def test_other_columns_are_ignored(heading):
    assert columns(heading, "Email").values(["text", "ann@x.com"]) == {"email": "ann@x.com"}


@pytest.mark.parametrize(
    ("headings", "cells", "name"),
    [
        (["First Name", "Last Name"], ["Ann", "Lee"], "Ann Lee"),
        (["Last Name", "First Name"], ["Lee", "Ann"], "Ann Lee"),
        (["First Name", "Middle Name", "Last Name"], ["Ann", "B.", "Lee"], "Ann B. Lee"),
        (["First Name", "Last Name"], ["Ann", " "], "Ann"),
        (["First Name", "Last Name"], ["", "Lee"], "Lee"),
        (["Name", "Given Name", "Family Name"], ["Dr Ann Lee", "Ann", "Lee"], "Dr Ann Lee"),
        (["Name", "Given Name", "Family Name"], ["", "Ann", "Lee"], "Ann Lee"),
        (["Name", "Vorname"], ["Lee", "Ann"], "Ann Lee"),
        (["Nom", "Prénom"], ["Lee", "Ann"], "Ann Lee"),
        (["Nombre", "Apellidos"], ["Ann", "Lee"], "Ann Lee"),
        (["First Name", "Full Name"], ["Ann", "Ann Lee"], "Ann Lee"),
    ],
)
def test_a_name_is_put_together_from_its_parts(headings, cells, name):
    assert columns(*headings).values(cells) == {"name": name}


def test_the_first_filled_column_of_a_field_counts():
    found = columns("Email", "Phone", "Email 2", "Mobile")
    assert found.values(["", " ", "b@x.com", "2"]) == {"email": "b@x.com", "phone": "2"}
    assert found.values(["a@x.com", "1", "b@x.com", "2"]) == {"email": "a@x.com", "phone": "1"}


def test_short_and_long_rows():
    found = columns("Email", "Name")
    assert found.values(["a@x.com"]) == {"email": "a@x.com"}
    assert found.values([]) == {}
    assert found.values(["a@x.com", "Ann", "more"]) == {"email": "a@x.com", "name": "Ann"}
