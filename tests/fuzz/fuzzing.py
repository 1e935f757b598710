"""Send what schemathesis draws, and judge every answer."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import unquote_plus

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.core.result import Ok

from circle27.paths import ROOT
from tests.fuzz.values import formatted, teach
from tests.fuzz.world import ROLES, World

Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]
# What fits the document gets further than what does not.
WEIGHTS = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 1}
KEYS = {"code", "message", "details", "hint"}
# After these the caller is nobody any more, so a newcomer calls.
PARTING = ("/rpc/sign_out", "/rpc/sign_out_everywhere", "/rpc/delete_my_account")
# Last, as what comes after it would find every slot over. Before it, the deadlines that a caller may run.
CLOCK = "/rpc/set_clock_offset"


def documented() -> set[tuple[int, str]]:
    """Return (status, slug or code) of every error that docs/error_codes.md lists."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (ROOT / "docs" / "error_codes.md").read_text("utf-8"), re.M)
    return {(int(status), name) for status, names in rows for name in re.findall(r"`(\w+)`", names)}


@dataclass
class Fuzzing:
    """One run: what was answered, by role and status, and what must not have been."""

    world: World
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: {role: Counter() for role in ROLES})
    problems: dict[str, str] = field(default_factory=dict)
    errors: set[tuple[int, str]] = field(default_factory=documented)

    @property
    def calls(self) -> int:
        return sum(sum(counter.values()) for counter in self.statuses.values())

    def run(self, calls: int, number: int) -> None:
        """Make at least so many calls, drawn by this number: as many of each kind, or, if few, of some."""
        teach(self.world)
        kinds = [(role, each, mode) for role in ROLES for each in self._operations(role) for mode in WEIGHTS]
        while self.calls < calls:  # an operation without arguments has no negative cases: another round
            left = calls - self.calls
            drawn = Random(number).sample(range(len(kinds)), min(left, len(kinds)))
            each = left // sum(WEIGHTS[mode] for _, _, mode in kinds)
            for role, operation, mode in (kinds[index] for index in sorted(drawn)):
                self._try(role, operation, mode, max(1, each * WEIGHTS[mode]), number)
            number += 1

    def _operations(self, role: str) -> Iterator[Operation]:
        """Yield what the document offers this role, the clock last."""
        token = self.world.callers[role].token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        document = formatted(self.world.stack.http.get("/rest/v1/", headers=headers).raise_for_status().json())
        schema = schemathesis.openapi.from_dict(document)
        found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        assert len(found) == sum(len(path) for path in document["paths"].values())
        yield from sorted(found, key=lambda each: (each.path == CLOCK, each.path, each.method))

    def _try(self, role: str, operation: Operation, mode: GenerationMode, examples: int, number: int) -> None:
        with requests.Session() as session:

            @seed(number)
            @settings(
                max_examples=examples,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def call(case: AnyCase) -> None:
                self._call(role, case, session)

            try:
                call()
            except Unsatisfiable:
                return  # nothing can be wrong about a call that takes nothing

    def _call(self, role: str, case: AnyCase, session: requests.Session) -> None:
        person = self.world.callers[role]
        if case.path in PARTING and person.user_id:
            person = self.world.newcomer(operator=role == "operator")
        headers = {"Authorization": f"Bearer {person.token}"} if person.token else {}
        answer = case.call(
            base_url=f"{self.world.stack.settings.url('gateway')}/rest/v1", session=session, headers=headers, timeout=30
        )
        self.statuses[role][answer.status_code] += 1
        for what in self.wrong(role, answer):
            name = f"{role} {case.method} {case.path} {answer.status_code}: {what}"
            self.problems.setdefault(name, f"{_asked(answer)}\n  {answer.content[:600]!r}")

    def wrong(self, role: str, answer: Response) -> Iterator[str]:
        """Yield what must not be in this answer."""
        status, text = answer.status_code, answer.content.decode("utf-8", "replace")
        if status >= 400 and answer.request.method != "HEAD":
            yield from self._wrong_error(status, text)
        asked = _asked(answer).lower()
        for secret in self.world.secrets(role):
            told = text.lower() + str(answer.headers).lower()
            if secret in told and secret not in asked:
                yield f"somebody else's data: {secret}"
        if {"x-accel-redirect", "set-cookie"} & set(answer.headers):
            yield "a header that was smuggled in"

    def _wrong_error(self, status: int, text: str) -> Iterator[str]:
        try:
            body = json.loads(text)
        except ValueError:
            yield "no JSON"
            return
        if not isinstance(body, dict) or not set(body) >= KEYS:
            yield "not the four keys of an error"
            return
        if not {(status, str(body["details"])), (status, str(body["code"]))} & self.errors:
            yield f"not in docs/error_codes.md: {body['code']}"


def _asked(answer: Response) -> str:
    """Return what was sent, readable."""
    request = answer.request
    body: Any = request.body or ""
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    return f"{request.method} {unquote_plus(request.url or '')} {body}"
