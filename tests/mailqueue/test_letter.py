"""The bytes that go over the wire are a mail that others can read."""

import email
from email import policy

import pytest

from crmapp.mailqueue.letter import Letter, write

MAIL = {"token": "0123456789abcdef", "messageId": "<1@crm.example.com>"}
SENDER = "Ünser CRM <crm@example.com>"


def written(**changes):
    fields = {
        "recipient": "bob@example.com",
        "subject": "Your account is ready",
        "text": "Hello",
        "html": "<p>Hello</p>",
    }
    return write(Letter(**{**fields, **changes}), MAIL, SENDER)


def read(envelope):
    assert envelope.content.endswith(b"\r\n.\r\n")
    content = envelope.content[:-3].replace(b"\r\n..", b"\r\n.")
    return email.message_from_bytes(content, policy=policy.default)


def body(message, kind):
    return message.get_body((kind,)).get_content()


def test_a_letter_has_both_forms_and_its_headers():
    envelope = written()
    message = read(envelope)
    assert (envelope.sender, envelope.recipient) == ("crm@example.com", "bob@example.com")
    assert message["From"] == "Ünser CRM <crm@example.com>"
    assert message["To"] == "bob@example.com"
    assert message["Subject"] == "Your account is ready"
    assert message["Message-ID"] == "<1@crm.example.com>"
    assert message["Date"].datetime
    assert body(message, "plain").strip() == "Hello"
    assert body(message, "html").strip() == "<p>Hello</p>"
    assert not message.defects


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 你好 🎉",
        "one\n.\n..two\n.three",
        "x" * 2000,
        "line\r\nbreaks\nof\rall kinds",
        "ends with a dot\n.",
        ".begins with one",
    ],
)
def test_any_text_arrives_as_it_was(text):
    envelope = written(text=text, html=f"<p>{text}</p>")
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    assert envelope.content.isascii()
    # Only the end has a line that is a dot.
    assert envelope.content.count(b"\r\n.\r\n") == 1
    assert body(read(envelope), "plain").splitlines() == text.splitlines()


def test_a_subject_of_any_language_and_no_second_header():
    assert read(written(subject="Grüße aus Köln"))["Subject"] == "Grüße aus Köln"
    message = read(written(subject="Hello\r\nBcc: eve@example.com"))
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: eve@example.com"


def test_a_domain_of_any_language_is_written_as_the_dns_knows_it():
    assert written(recipient="bob@bücher.example").recipient == "bob@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.com\r\nRCPT TO:<eve@example.com>",
        "bob",
        "bob@example.com>",
        "a b@c.de",
        "bøb@x.de",
    ],
)
def test_an_address_that_fits_no_envelope_is_refused(address):
    with pytest.raises(ValueError, match=r"."):
        written(recipient=address)
