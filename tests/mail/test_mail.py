"""The worker's mail part against a real SMTP server (aiosmtpd), in every mood that one may have."""

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from circle27.errors import CircleError
from circle27.stack.settings import Settings
from circle27.worker.mail import Server, send_batch
from tests.mail.certificate import self_signed


@dataclass
class Inbox:
    """What the server does with mail: keeps it, or answers as told."""

    answer_recipient: str = "250 OK"
    answer_data: str = "250 OK"
    hangs_up: bool = False
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(self, _s: Protocol, _n: Session, envelope: Envelope, address: str, _o: list[str]) -> str:
        if self.answer_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_recipient

    async def handle_DATA(self, _server: Protocol, _session: Session, envelope: Envelope) -> str:
        if self.answer_data.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content))
            self.recipients += envelope.rcpt_tos
        return self.answer_data

    async def handle_QUIT(self, server: Protocol, _session: Session, _envelope: Envelope) -> str:
        if self.hangs_up:
            assert server.transport is not None
            server.transport.close()
        return "221 Bye"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[Server]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield Server(controller.hostname, controller.port)
    controller.stop(no_assert=True)


@pytest.fixture
def database(postgresql: psycopg.Connection) -> psycopg.Connection:
    """A clone in which the worker's role sends, with a campus."""
    postgresql.autocommit = True
    postgresql.execute("select tests.create_campus()")
    return postgresql


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(database: psycopg.Connection, *names: str) -> None:
    for name in names:
        database.execute(
            "select identity.request_login_code(%s, clock_timestamp())", [f"{name}@stanford.edu"]
        ).fetchone()


def send(database: psycopg.Connection, server: Server) -> int:
    database.execute("set role circle27_worker")
    try:
        return send_batch(database, server)
    finally:
        database.execute("reset role")


def waiting(database: psycopg.Connection) -> list[tuple[Any, ...]]:
    return database.execute("select recipient, attempts from identity.mails order by mail_id").fetchall()


def breaker(database: psycopg.Connection) -> tuple[str, int]:
    row = database.execute("select identity.mail_status() ->> 'breaker', failures from identity.mail_server").fetchone()
    assert row is not None
    return row


def due_now(database: psycopg.Connection) -> None:
    """Let the rests be over, instead of sleeping through them."""
    database.execute("update identity.mails set next_try_at = clock_timestamp() - interval '1 second'")
    database.execute("update identity.mail_server set open_until = clock_timestamp() where open_until is not null")


def code_of(mail: Message) -> str:
    found = re.search(r"\b\d{6}\b", str(mail.get_payload()))
    assert found
    return found[0]


def test_a_code_arrives_and_counts(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    database.execute("select identity.add_key('k', convert_to(repeat('s', 40), 'UTF8'))")
    ask(database, "ann")
    assert send(database, smtp) == 1
    (mail,) = inbox.mails
    assert inbox.recipients == ["ann@stanford.edu"]
    assert mail["Subject"] == f"Your Circle27 code: {code_of(mail)}"
    assert mail["From"] == "Circle27 <no-reply@circle27.invalid>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@circle27.invalid>")
    assert "counts for 10 minutes" in str(mail.get_payload())
    answer = database.execute(
        "select identity.verify_login_code('ann@stanford.edu', %s, clock_timestamp())", [code_of(mail)]
    ).fetchone()
    assert answer is not None
    assert answer[0]["campusId"] == "stanford"
    assert waiting(database) == []
    assert send(database, smtp) == 0


def test_a_hundred_in_batches(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    ask(database, *(f"m{number}" for number in range(100)))
    while send(database, smtp):
        pass
    assert sorted(inbox.recipients) == sorted(f"m{number}@stanford.edu" for number in range(100))
    assert len({code_of(mail) for mail in inbox.mails}) > 95, "and each its own code"


@pytest.mark.parametrize("answer", ["answer_recipient", "answer_data"])
def test_a_refusal_for_ever_ends_this_mail_and_no_other(
    database: psycopg.Connection, smtp: Server, inbox: Inbox, answer: str
) -> None:
    setattr(inbox, answer, "550 5.1.1 ann@stanford.edu: no such mailbox")
    ask(database, "ann")
    send(database, smtp)
    assert waiting(database) == []
    assert breaker(database) == ("closed", 0)
    inbox.answer_recipient = inbox.answer_data = "250 OK"
    ask(database, "ben")
    send(database, smtp)
    assert inbox.recipients == ["ben@stanford.edu"]


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?ann?=@stanford.edu",  # in a header: ann@
        "=?utf-8?q?ann=40elsewhere.org=2c?=@stanford.edu",  # in a header: ann@elsewhere.org,@
        "=?utf-8?q?a=0d=0abcc=3aann?=@stanford.edu",  # in a header: two lines
    ],
)
def test_an_address_that_a_header_reads_as_another_gets_no_mail_and_holds_up_none(
    database: psycopg.Connection, smtp: Server, inbox: Inbox, address: str
) -> None:
    database.execute(
        "insert into identity.mails (kind, recipient, facts, created_at, expires_at, next_try_at)"
        " select 'login_code', %s, '{\"campusId\": \"stanford\"}', now, now + interval '1 day', now"
        " from clock_timestamp() as now",
        [address],
    )
    ask(database, "ben")
    assert send(database, smtp) == 2
    assert inbox.recipients == ["ben@stanford.edu"]
    assert waiting(database) == []
    assert breaker(database) == ("closed", 0)


def test_a_server_that_hangs_up_instead_of_saying_goodbye(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    inbox.hangs_up = True
    ask(database, "ann")
    assert send(database, smtp) == 1
    assert inbox.recipients == ["ann@stanford.edu"]
    assert waiting(database) == []


@pytest.mark.parametrize("answer", ["answer_recipient", "answer_data"])
def test_a_refusal_for_now_keeps_it(database: psycopg.Connection, smtp: Server, inbox: Inbox, answer: str) -> None:
    setattr(inbox, answer, "451 4.7.1 greylisted")
    ask(database, "ann")
    send(database, smtp)
    assert waiting(database) == [("ann@stanford.edu", 1)]
    inbox.answer_recipient = inbox.answer_data = "250 OK"
    assert send(database, smtp) == 0, "it rests first"
    due_now(database)
    send(database, smtp)
    assert inbox.recipients == ["ann@stanford.edu"]


def test_a_dead_server_loses_nothing_and_is_left_alone(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    names = [f"m{number}" for number in range(20)]
    ask(database, *names)
    nobody = Server("127.0.0.1", free_port())
    for failures in range(1, 6):
        assert breaker(database) == ("closed", failures - 1)
        assert send(database, nobody) == 10, "a batch; only its first is tried"
    assert breaker(database) == ("open", 5)
    due_now(database)
    assert breaker(database)[0] == "trying"
    assert send(database, nobody) == 1, "one tries it"
    assert breaker(database) == ("open", 6)
    assert send(database, smtp) == 0, "left alone, though it is back"
    due_now(database)
    assert send(database, smtp) == 1
    assert breaker(database) == ("closed", 0)
    due_now(database)
    while send(database, smtp):
        pass
    assert sorted(inbox.recipients) == sorted(f"{name}@stanford.edu" for name in names)


def test_recipients_that_are_refused_for_now_hold_up_nobody_else(
    database: psycopg.Connection, smtp: Server, inbox: Inbox
) -> None:
    """Else five addresses that are greylisted would keep everybody's mail."""
    inbox.answer_recipient = "450 4.2.0 greylisted"
    ask(database, *(f"m{number}" for number in range(10)))
    send(database, smtp)
    assert breaker(database) == ("closed", 0)
    inbox.answer_recipient = "250 OK"
    ask(database, "ann")
    send(database, smtp)
    assert inbox.recipients == ["ann@stanford.edu"]


def test_what_a_server_says_is_not_kept(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    inbox.answer_data = "450 ann@stanford.edu is over quota"
    ask(database, "ann")
    send(database, smtp)
    row = database.execute("select identity.mail_status()").fetchone()
    assert row is not None
    assert "ann" not in str(row[0])
    assert row[0]["error"] == "SMTPDataError 450"
    assert row[0]["waiting"] == 1


def test_a_dead_sender_s_mail_comes_again(database: psycopg.Connection, smtp: Server, inbox: Inbox) -> None:
    ask(database, "ann")
    database.execute("select identity.take_mails(10)")  # ... and never heard of again
    assert send(database, smtp) == 0, "for a minute it is another's"
    due_now(database)
    send(database, smtp)
    assert len(inbox.mails) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_encrypted_and_signed_in(
    database: psycopg.Connection, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(_s: Any, _n: Any, _e: Any, _m: str, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    options: dict[str, Any] = {"ssl_context": tls} if scheme == "smtps" else {"tls_context": tls}
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=authenticate,
        auth_require_tls=scheme != "smtps",
        **options,
    )
    controller.start()
    try:
        monkeypatch.setenv("CIRCLE27_SMTP_URL", f"{scheme}://us%40er:pa%3Ass@localhost:{controller.port}")
        monkeypatch.setenv("CIRCLE27_MAIL_FROM", "Circles <circles@stanford.edu>")
        ask(database, "ann")
        send(database, Server.chosen(Settings.fresh()))
    finally:
        controller.stop(no_assert=True)
    assert seen == [(b"us@er", b"pa:ss")]
    assert inbox.mails[0]["From"] == "Circles <circles@stanford.edu>"


def test_a_certificate_that_nobody_signed_gets_no_mail(
    database: psycopg.Connection, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), tls_context=tls)
    controller.start()
    try:
        monkeypatch.setenv("CIRCLE27_SMTP_URL", f"smtp+starttls://user:secret@localhost:{controller.port}")
        ask(database, "ann")
        send(database, Server.chosen(Settings.fresh()))
    finally:
        controller.stop(no_assert=True)
    assert inbox.mails == []
    assert waiting(database) == [("ann@stanford.edu", 1)]


@pytest.mark.parametrize("url", ["http://mail:25", "smtp://", "mail.example.org", "smtp:25"])
def test_a_bad_address_of_the_server_says_so(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CIRCLE27_SMTP_URL", url)
    with pytest.raises(CircleError, match="smtp://host:25"):
        Server.chosen(Settings.fresh())
