"""Send e-mail until SIGTERM: `python -m circle27.worker.mail`. What is due, and what a failure means, SQL decides.

A process beside the worker: a mail server that takes ten seconds to answer must not hold up a deadline.
"""

import logging
import os
import signal
import smtplib
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.rows import class_row

from circle27.errors import CircleError
from circle27.stack.settings import Settings
from circle27.worker.calendar import calendar

BATCH = 10  # with TIMEOUT_S well under the minute for which a mail is ours
TIMEOUT_S = 10
POLL_S = 0.25
RETRY_S = 1.0
TAKE = "select mail_id, attempt, kind, recipient, facts from identity.take_mails(%s)"
SENT = "select identity.mail_sent(%s, %s)"
FAILED = "select identity.mail_failed(%s, %s, %s, %s, p_by_server => %s)"
TEXTS = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("mails")), undefined=StrictUndefined, keep_trailing_newline=True
)

log = logging.getLogger("circle27.mail")


class UnsendableError(Exception):
    """No mail can be made for this recipient."""


@dataclass(frozen=True)
class Mail:
    """One mail in hand."""

    mail_id: int
    attempt: int
    kind: str
    recipient: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Server:
    """Where to hand mail in, and in whose name."""

    host: str
    port: int
    scheme: str = "smtp"
    user: str = ""
    password: str = ""
    sender: str = "Circle27 <no-reply@circle27.invalid>"

    @classmethod
    def chosen(cls, settings: Settings) -> Self:
        """Return the server of CIRCLE27_SMTP_URL, else the stack's own mailbox. Raises CircleError for a bad address.

        smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465.
        """
        sender = os.environ.get("CIRCLE27_MAIL_FROM", cls.sender)
        url = os.environ.get("CIRCLE27_SMTP_URL")
        if not url:
            return cls(settings.host("mailbox"), settings.ports["mailbox"], sender=sender)
        parts = urlsplit(url)
        defaults = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
        if parts.scheme not in defaults or not parts.hostname:
            raise CircleError(
                "CIRCLE27_SMTP_URL is no address of a mail server. Use smtp://host:25, "
                "smtp+starttls://user:password@host:587 or smtps://user:password@host:465."
            )
        return cls(
            host=parts.hostname,
            port=parts.port or defaults[parts.scheme],
            scheme=parts.scheme,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            sender=sender,
        )

    def connect(self) -> smtplib.SMTP:
        """Open a connection, encrypted and signed in where the address says so. Raises OSError, SMTPException."""
        tls = ssl.create_default_context()  # smtplib's own would trust any certificate
        connection = (
            smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=tls)
            if self.scheme == "smtps"
            else smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        )
        try:
            if self.scheme == "smtp+starttls":
                connection.starttls(context=tls)
            if self.user:
                connection.login(self.user, self.password)
        except BaseException:
            connection.close()
            raise
        return connection


def message(mail: Mail, sender: str) -> EmailMessage:
    """Return the mail as it is sent: the first line of its text is the subject.

    Raises UnsendableError for an address that a header reads as another one (RFC 2047): `=?utf-8?q?ann?=@…` would be
    Ann's, `=?utf-8?q?a=0a?=@…` two lines.
    """
    subject, _, body = TEXTS.get_template(f"{mail.kind}.txt").render(mail.facts).partition("\n\n")
    made = EmailMessage(policy=SMTP)
    made["Subject"] = subject
    made["From"] = sender
    try:
        made["To"] = mail.recipient
    except ValueError:
        raise UnsendableError from None
    if made["To"] != mail.recipient:
        raise UnsendableError
    made["Date"] = formatdate(localtime=False)
    made["Message-ID"] = f"<{mail.mail_id}.{mail.attempt}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    made.set_content(body)
    if event := mail.facts.get("event"):
        address = parseaddr(sender)[1]
        method, text = calendar(event, mail.facts["mates"], mail.facts["spot"], address, datetime.now(UTC))
        # As octets: the line ends and folds are part of it.
        made.add_attachment(
            text, "text", "calendar", filename="circle.ics", params={"method": method, "charset": "utf-8"}
        )
    return made


def refused_for_ever(error: Exception) -> bool:
    """Tell whether the server said of this very mail that it will never take it (5xx), or there can be none."""
    if isinstance(error, UnsendableError):
        return True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def send_batch(database: psycopg.Connection, server: Server) -> int:
    """Send what is due; return how many mails were in hand. Raises psycopg.Error: then the mails come again.

    A server that is away is not asked for the others in hand: they go back untried.
    """
    with database.cursor(row_factory=class_row(Mail)) as cursor:
        mails = cursor.execute(TAKE, [BATCH]).fetchall()
    connection: smtplib.SMTP | None = None
    away = False
    for mail in mails:
        if away:
            database.execute(FAILED, [mail.mail_id, mail.attempt, False, None, True])
            continue
        try:
            made = message(mail, server.sender)
            connection = connection or server.connect()
            connection.send_message(made, to_addrs=[mail.recipient])
        except (OSError, smtplib.SMTPException, UnsendableError) as error:
            refused = refused_for_ever(error)
            # It went away, or could not even be reached; any other answer is about this mail.
            away = isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError) or not isinstance(
                error, smtplib.SMTPException | UnsendableError
            )
            # This recipient, for now: a full mailbox, greylisting. (421 is a server that is about to go.)
            by_server = not isinstance(error, smtplib.SMTPRecipientsRefused) or any(
                code == 421 for code, _ in error.recipients.values()
            )
            # Never the error's own text: a server may quote the address.
            code = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
            said = f"{type(error).__name__} {code}" if code else type(error).__name__
            log.warning("mail %s, attempt %s: %s", mail.mail_id, mail.attempt, said)
            database.execute(FAILED, [mail.mail_id, mail.attempt, refused, said, by_server])
        else:
            database.execute(SENT, [mail.mail_id, mail.attempt])
            log.info("sent mail %s (%s)", mail.mail_id, mail.kind)
    if connection:
        with suppress(OSError):  # all mails are accounted for: a server that hangs up instead of saying goodbye may
            connection.close() if away else connection.quit()
    return len(mails)


def main() -> None:
    """Send; after a lost database begin again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.require()
    server = Server.chosen(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with psycopg.connect(settings.dsn("circle27_worker"), autocommit=True) as database:
                log.info("connected; mail goes to %s:%s", server.host, server.port)
                while not stop.is_set():
                    if not send_batch(database, server):
                        stop.wait(POLL_S)
        except psycopg.Error as error:
            log.warning("begins again: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
            stop.wait(RETRY_S)
    log.info("stopped")


if __name__ == "__main__":
    main()
