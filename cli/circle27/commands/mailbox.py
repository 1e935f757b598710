"""`circle27 mailbox`."""

import mailbox as maildir
from email.utils import parseaddr, parsedate_to_datetime

import click

from circle27.errors import CircleError
from circle27.stack.settings import Settings


@click.command()
@click.option("--to", metavar="ADDRESS", help="Only mail to this address.")
@click.option(
    "--last", is_flag=True, help="Print the newest mail whole, what is attached included, instead of the list."
)
def mailbox(to: str | None, last: bool) -> None:
    """List the mail that the local stack has caught.

    The stack's own mail server delivers nothing: whatever is sent, to whomever, is kept in .circle27/mail.
    (With CIRCLE27_SMTP_URL in the environment of `circle27 up` mail goes to a real server instead.)

    \b
    Examples:
      circle27 mailbox
      circle27 mailbox --to ann@stanford.edu --last
    """
    settings = Settings.require()
    folder = settings.home / "mail"
    box = list(maildir.Maildir(folder, create=False)) if folder.exists() else []
    mails = [mail for mail in box if to is None or parseaddr(mail["To"])[1] == to.strip().lower()]
    mails.sort(key=lambda mail: (parsedate_to_datetime(mail["Date"]), int(mail["Message-ID"].strip("<").split(".")[0])))
    if last:
        if not mails:
            raise CircleError("there is no such mail yet. Ask for a login code, and look again in a second.")
        click.echo(f"To: {mails[-1]['To']}\nSubject: {mails[-1]['Subject']}\n")
        for part in mails[-1].walk():
            if part.get_content_maintype() == "text":
                if name := part.get_filename():
                    click.echo(f"\n{name}:\n")
                content = part.get_payload(decode=True)
                click.echo(content.decode() if isinstance(content, bytes) else content, nl=False)
        return
    for mail in mails:
        click.echo(f"{parsedate_to_datetime(mail['Date']):%Y-%m-%d %H:%M:%S}  {mail['To']:32}  {mail['Subject']}")
    if not mails:
        click.echo("No mail.")
