"""The mail server dies while a hundred people ask for a code: no request is lost, and every code counts."""

import json
import mailbox
import re
from concurrent.futures import ThreadPoolExecutor
from email.utils import parseaddr

from circle27.stack.supervision import Supervisor, wait_until
from tests.stack import Stack

PEOPLE = [f"p{number}@stanford.edu" for number in range(100)]


def test_a_dead_mail_server_loses_no_request(own_stack: Stack) -> None:
    supervisor = Supervisor(own_stack.settings)
    supervisor.rpc.stopProcess("mailbox")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda email: own_stack.rpc("request_login_code", {"p_email": email}), PEOPLE))
    assert {answer.status_code for answer in answers} == {200}
    wait_until(lambda: mail(own_stack)["breaker"] == "open", 20, "the breaker stayed closed")
    assert mail(own_stack)["waiting"] == 100
    assert "left alone until" in own_stack.run("status").stdout

    supervisor.start("mailbox")
    wait_until(lambda: mail(own_stack)["waiting"] == 0, 60, "not all mail was sent")
    assert mail(own_stack)["breaker"] == "closed"

    newest = codes(own_stack)
    assert set(newest) == set(PEOPLE)
    with ThreadPoolExecutor(16) as pool:
        verified = list(
            pool.map(lambda e: own_stack.rpc("verify_login_code", {"p_email": e, "p_code": newest[e]}), PEOPLE)
        )
    assert {answer.status_code for answer in verified} == {200}
    assert len({answer.json()["userId"] for answer in verified}) == 100


def mail(stack: Stack) -> dict[str, object]:
    status: dict[str, object] = json.loads(stack.run("status", "--json").stdout)["mail"]
    return status


def codes(stack: Stack) -> dict[str, str]:
    """The newest code of each address, as its owner would read it."""
    found = {}
    mails = sorted(mailbox.Maildir(stack.home / "mail"), key=lambda each: str(each["Date"]))
    for each in mails:
        code = re.search(r"\d{6}", str(each["Subject"]))
        assert code
        found[parseaddr(str(each["To"]))[1]] = code[0]
    return found
