"""Signing in, refreshing and signing out, a hundred at once: as if one came after the other."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from circle27.stack.supervision import wait_until
from tests.concurrency.sessions import Session, sessions

CALLS = 100
CONNECTIONS = 25  # so that many are inside of the database at the same moment; the others follow at their heels
ANN = "ann@stanford.edu"

REQUEST: LiteralString = "select api.request_login_code(%s)"
VERIFY: LiteralString = "select api.verify_login_code(%s, %s)"
REFRESH: LiteralString = "select api.refresh_session(%s)"
TAKE: LiteralString = "select mail_id, attempt, recipient, facts ->> 'code' from identity.take_mails(%s, %s)"
# The locks of a row are waited for by the transaction that holds them.
WAITING = "select from pg_locks where pid = %s and not granted and locktype in ('transactionid', 'tuple')"


class Scene:
    """A campus with the member Ann, and as many connections as a busy gateway has."""

    def __init__(self, control: psycopg.Connection[Any], pool: list[Session]) -> None:
        self.control, self.pool = control, pool

    def value(self, statement: LiteralString, *parameters: object) -> Any:
        row = self.control.execute(statement, parameters).fetchone()
        assert row is not None
        return row[0]

    def code(self, email: str = ANN) -> str:
        return self.value("select tests.login_code(%s, clock_timestamp())", email)  # type: ignore[no-any-return]

    def sign_in(self, email: str = ANN) -> dict[str, Any]:
        return self.value(VERIFY, email, self.code(email))  # type: ignore[no-any-return]

    def at_once(self, statement: LiteralString, calls: list[tuple[object, ...]]) -> list[Any]:
        """Make all calls, each in a transaction of its own, on all connections; return the answers in any order."""
        waiting: SimpleQueue[tuple[object, ...] | None] = SimpleQueue()
        for call in [*calls, *[None] * len(self.pool)]:
            waiting.put(call)

        def work(session: Session) -> list[Any]:
            answers = []
            while (call := waiting.get()) is not None:
                row = session.connection.execute(statement, call).fetchone()
                session.connection.commit()
                assert row is not None
                answers.append(row[0])
            return answers

        with ThreadPoolExecutor(len(self.pool)) as threads:
            return [answer for answers in threads.map(work, self.pool) for answer in answers]

    def until_it_waits(self, session: Session) -> None:
        pid = session.connection.info.backend_pid
        wait_until(lambda: self.control.execute(WAITING, (pid,)).fetchone() is not None, 10, "nobody waits for a row")


@pytest.fixture
def scene(postgresql: psycopg.Connection[Any]) -> Iterator[Scene]:
    with sessions(postgresql.info.dsn, CONNECTIONS) as (control, opened):
        control.execute(
            "select tests.create_member('ann'), identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'))"
        )
        for session in opened:  # what waits where it should not is red soon
            session.connection.execute("set lock_timeout = '15s'")
            session.commit()
        yield Scene(control, opened)


# Codes.


def test_a_hundred_wrong_codes_cost_five_tries_and_the_right_one(scene: Scene) -> None:
    code = scene.code()
    wrong = [f"{(int(code) + n) % 1_000_000:06}" for n in range(1, CALLS + 1)]
    answers = scene.at_once(VERIFY, [(ANN, each) for each in wrong])
    assert Counter(answer["details"] for answer in answers) == {"login_code_wrong": CALLS}
    tried = scene.value(
        "select array_agg((details ->> 'triesLeft')::int order by id) from audit.log where action = 'login.denied'"
    )
    assert tried == [4, 3, 2, 1, 0]
    assert scene.value(VERIFY, ANN, code)["details"] == "login_code_wrong"
    assert scene.value("select count(*) from identity.sessions") == 0


def test_a_hundred_right_codes_are_one_session(scene: Scene) -> None:
    for email in (ANN, "bob@stanford.edu"):  # Bob is no member yet
        code = scene.code(email)
        answers = scene.at_once(VERIFY, [(email, code)] * CALLS)
        assert len({answer["sessionId"] for answer in answers}) == 1
        assert len({answer["refreshToken"] for answer in answers}) == 1
        assert len({answer["userId"] for answer in answers}) == 1
    assert scene.value("select count(*) from identity.sessions") == 2
    assert scene.value("select count(*) from app.users") == 2
    assert scene.value("select count(*) from audit.log where action = 'session.begun'") == 2


def test_right_and_wrong_codes_at_once(scene: Scene) -> None:
    """At most one session, and never more than five wrong tries: whoever comes first."""
    code = scene.code()
    wrong = scene.value("select tests.wrong_code(%s)", code)
    answers = scene.at_once(VERIFY, [(ANN, code if n % 4 == 0 else wrong) for n in range(CALLS)])
    assert len({answer["sessionId"] for answer in answers if "sessionId" in answer}) <= 1
    assert scene.value("select count(*) from identity.sessions") <= 1
    assert scene.value("select count(*) from audit.log where action = 'login.denied'") <= 5


# Requests and mails.


def test_a_hundred_requests_for_one_address_are_one_mail(scene: Scene) -> None:
    answers = scene.at_once(REQUEST, [(ANN,)] * CALLS)
    assert len({answer["askAgainAt"] for answer in answers}) == 1
    assert scene.value("select count(*) from identity.mails") == 1
    assert scene.value("select allowance::int from identity.login_codes") == 4
    assert scene.value("select count(*) from audit.log where action = 'login.requested'") == 1


def test_a_request_waits_for_another_and_gets_its_answer(scene: Scene) -> None:
    """An hour after the last one: the row is there, and both find it old enough."""
    scene.value("select tests.login_code(%s, clock_timestamp() - interval '1 hour')", ANN)
    scene.control.execute("delete from audit.log")
    one, other, *_ = scene.pool
    first = one.run(REQUEST, ANN)
    second = other.start(REQUEST, ANN)
    scene.until_it_waits(other)
    one.commit()
    assert second.result(20) == first
    other.commit()
    assert scene.value("select count(*) from audit.log where action = 'login.requested'") == 1


def test_a_hundred_addresses_at_once_are_a_hundred_mails_each_taken_once(scene: Scene) -> None:
    scene.at_once(REQUEST, [(f"m{n}@stanford.edu",) for n in range(CALLS)])
    taken: list[str] = []
    now = scene.value("select clock_timestamp()")

    def worker(session: Session) -> list[str]:
        mine: list[str] = []
        while rows := session.connection.execute(TAKE, (7, now)).fetchall():
            session.connection.commit()
            mine += [row[2] for row in rows]
            for mail_id, attempt, *_ in rows:
                session.connection.execute("select identity.mail_sent(%s, %s)", (mail_id, attempt))
            session.connection.commit()
        return mine

    with ThreadPoolExecutor(4) as threads:
        for part in threads.map(worker, scene.pool[:4]):
            taken += part
    # A worker that found nothing may have come while others still held the last ones: those are in their hands.
    assert sorted(taken) == sorted(f"m{n}@stanford.edu" for n in range(CALLS))
    assert scene.value("select count(*) from identity.mails") == 0


def test_a_server_that_failed_is_tried_by_one(scene: Scene) -> None:
    """Another that asks at the same moment waits for it, and tries nothing."""
    scene.at_once(REQUEST, [(ANN,), ("bob@stanford.edu",)])
    now = scene.value("select clock_timestamp()")
    scene.control.execute("update identity.mail_server set failures = 5, open_until = %s", (now,))
    one, other, *_ = scene.pool
    count: LiteralString = "select count(*) from identity.take_mails(10, %s)"
    assert one.run(count, now) == 1
    second = other.start(count, now)
    scene.until_it_waits(other)
    one.commit()
    assert second.result(20) == 0
    other.commit()


def test_mails_of_a_killed_worker_come_again_after_the_lease(scene: Scene) -> None:
    scene.at_once(REQUEST, [(ANN,), ("bob@stanford.edu",)])
    now = scene.value("select clock_timestamp()")
    # Killed before its commit: as if it had never taken them.
    first = scene.pool[0].connection
    assert len(first.execute(TAKE, (10, now)).fetchall()) == 2
    assert scene.pool[1].connection.execute(TAKE, (10, now)).fetchall() == []
    scene.control.execute("select pg_terminate_backend(%s)", (first.info.backend_pid,))
    gone = "select count(*) = 0 from pg_stat_activity where pid = %s"
    wait_until(lambda: bool(scene.value(gone, first.info.backend_pid)), 10, "the killed worker stayed")
    # Killed after it: a minute later they come again, with other codes. The late report of the dead changes nothing.
    second = scene.pool[1].connection
    dead = {row[2]: row for row in second.execute(TAKE, (10, now)).fetchall()}
    second.commit()
    third = scene.pool[2].connection
    assert third.execute(
        "select count(*) from identity.take_mails(10, %s + interval '59.999 s')", (now,)
    ).fetchone() == (0,)
    again = third.execute(
        "select recipient, attempt, facts ->> 'code' from identity.take_mails(10, %s + interval '60 s')", (now,)
    ).fetchall()
    third.commit()
    assert {recipient: attempt for recipient, attempt, _ in again} == {ANN: 2, "bob@stanford.edu": 2}
    scene.value("select identity.mail_sent(%s, %s)", dead[ANN][0], dead[ANN][1])
    assert scene.value("select count(*) from identity.mails") == 2
    code = next(code for recipient, _, code in again if recipient == ANN)
    assert scene.value(VERIFY, ANN, code)["campusId"] == "stanford"


def test_who_asks_again_and_who_sends_do_not_wait_for_each_other_in_a_circle(scene: Scene) -> None:
    """Both need the mail and the code of one address, and take them in one order."""
    bob = "bob@stanford.edu"
    ask: LiteralString = "select identity.request_login_code(%s, clock_timestamp() - %s::interval)"
    scene.value(ask, ANN, "2 minutes")
    scene.value(ask, bob, "1 minute")
    holds, sends, asks, *_ = scene.pool
    holds.run("select from identity.login_codes where email = %s for update", ANN)
    sent = sends.start("select count(*) from identity.take_mails(10, clock_timestamp())")
    scene.until_it_waits(sends)  # with both mails in hand, for Ann's code
    asked = asks.start(REQUEST, bob)
    scene.until_it_waits(asks)  # for Bob's mail; if it held his code, the sender would now wait for that
    holds.commit()
    assert sent.result(20) == 2
    sends.commit()
    assert asked.result(20)["email"] == bob
    asks.commit()


def test_a_request_and_the_forgetting_of_an_old_one(scene: Scene) -> None:
    """The row is forgotten while somebody asks anew: it is there again, and nobody gets an error."""
    scene.control.execute(
        "insert into identity.login_codes (email, requested_at, allowance)"
        " values (%s, clock_timestamp() - interval '2 days', 1)",
        (ANN,),
    )
    forgets, asks, *_ = scene.pool
    assert forgets.run("select identity.forget_old()") == 1
    asked = asks.start(REQUEST, ANN)
    scene.until_it_waits(asks)
    forgets.commit()
    assert asked.result(20)["email"] == ANN
    asks.commit()
    assert scene.value("select count(*) from identity.login_codes") == 1
    # The other way round: who asks came first, so there is nothing to forget.
    scene.control.execute("delete from identity.mails")
    scene.control.execute("update identity.login_codes set requested_at = clock_timestamp() - interval '2 days'")
    asks.run(REQUEST, ANN)
    forgotten = forgets.start("select identity.forget_old()")
    scene.until_it_waits(forgets)
    asks.commit()
    assert forgotten.result(20) == 0
    forgets.commit()
    assert scene.value("select count(*) from identity.login_codes") == 1


# Sessions.


def test_a_hundred_refreshes_of_one_token_are_one_step(scene: Scene) -> None:
    tokens = scene.sign_in()
    answers = scene.at_once(REFRESH, [(tokens["refreshToken"],)] * CALLS)
    assert len({answer["refreshToken"] for answer in answers}) == 1
    assert answers[0]["refreshToken"] != tokens["refreshToken"]
    assert scene.value("select generation from identity.sessions") == 1
    assert scene.value("select ended_at is null from identity.sessions")


def test_a_refresh_waits_for_the_signing_out_and_is_refused(scene: Scene) -> None:
    tokens = scene.sign_in()
    leaves, refreshes, *_ = scene.pool
    sign_out(leaves, tokens)
    refreshed = refreshes.start(REFRESH, tokens["refreshToken"])
    scene.until_it_waits(refreshes)
    leaves.commit()
    assert refreshed.result(20)["details"] == "session_over"


def test_a_signing_out_waits_for_the_refresh_and_ends_what_it_gave(scene: Scene) -> None:
    tokens = scene.sign_in()
    leaves, refreshes, *_ = scene.pool
    fresh = refreshes.run(REFRESH, tokens["refreshToken"])
    act(leaves, tokens)
    left = leaves.start("select api.sign_out()")
    scene.until_it_waits(leaves)
    refreshes.commit()
    assert left.result(20) == {"signedOut": True}
    leaves.commit()
    assert scene.value(REFRESH, fresh["refreshToken"])["details"] == "session_over"
    assert scene.value("select identity.session_is_over(%s)", tokens["sessionId"])


def test_a_repeated_code_after_the_signing_out_gives_nothing(scene: Scene) -> None:
    code = scene.code()
    tokens = scene.value(VERIFY, ANN, code)
    leaves, verifies, *_ = scene.pool
    sign_out(leaves, tokens)
    repeated = verifies.run(VERIFY, ANN, code)  # does not wait: the signing out has not happened yet
    verifies.commit()
    leaves.commit()
    assert repeated["sessionId"] == tokens["sessionId"]
    assert scene.value("select identity.session_is_over(%s)", tokens["sessionId"])
    assert scene.value(VERIFY, ANN, code)["details"] == "login_code_wrong"
    assert scene.value(REFRESH, repeated["refreshToken"])["details"] == "session_over"


def test_devices_that_sign_out_everywhere_at_once_do_not_deadlock(scene: Scene) -> None:
    """Each begins with its own session in hand, if it did not keep to the order."""
    for _ in range(3):
        scene.control.execute("delete from identity.sessions")
        made = scene.control.execute(
            "select identity.begin_session('stanford', tests.member('ann'), clock_timestamp())"
            " from generate_series(1, 12)"
        ).fetchall()
        ended = scene.at_once(
            "select identity.sign_out_everywhere('stanford', tests.member('ann'), %s, clock_timestamp())", made * 2
        )
        assert ended == [{"signedOut": True}] * 24
        assert scene.value("select count(*) from identity.sessions where ended_at is null") == 0
    assert scene.value("select count(*) from audit.log where action = 'session.ended'") == 36, "each ended once"


def test_two_devices_that_sign_out_everywhere_take_turns(scene: Scene) -> None:
    """The device with the later session waits at the first one, and holds none."""
    made = scene.control.execute(
        "select identity.begin_session('stanford', tests.member('ann'), clock_timestamp()) as id"
        " from generate_series(1, 2) order by 1"
    ).fetchall()
    early, late = (str(row[0]) for row in made)
    one, other, *_ = scene.pool
    one.run("select identity.sign_out('stanford', tests.member('ann'), %s, clock_timestamp())", early)
    everywhere = other.start(
        "select identity.sign_out_everywhere('stanford', tests.member('ann'), %s, clock_timestamp())", late
    )
    scene.until_it_waits(other)
    one.run("select identity.sign_out('stanford', tests.member('ann'), %s, clock_timestamp())", late)  # no deadlock
    one.commit()
    assert everywhere.result(20) == {"signedOut": True}
    other.commit()


def act(session: Session, tokens: dict[str, Any]) -> None:
    """Call as the bearer of these tokens from now on, until the transaction ends."""
    if session.connection.info.transaction_status != TransactionStatus.IDLE:
        session.connection.rollback()
    session.run("select tests.act_as('ann', %s::jsonb)", json.dumps({"session_id": tokens["sessionId"]}))


def sign_out(session: Session, tokens: dict[str, Any]) -> None:
    act(session, tokens)
    assert session.run("select api.sign_out()") == {"signedOut": True}
