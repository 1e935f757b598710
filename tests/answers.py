"""Answers against docs/api/types.yaml: whatever a test asks, what comes back is what web/circle27.d.ts promises."""

from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from circle27.reference import sources
from circle27.reference.schemas import document

TYPES = sources.types()


def fits(value: Any, name: str) -> None:
    """See that a value is of this type of types.yaml."""
    wrong = [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(value)]
    assert not wrong, f"no {name}: {'; '.join(wrong)}"


def typed(function: str, answer: httpx.Response) -> httpx.Response:
    """See that the success of a function is of the function's type; return it. A test's own functions have none."""
    if answer.status_code == httpx.codes.OK and function in TYPES["functions"]:
        fits(answer.json(), TYPES["functions"][function]["result"])
    return answer


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(document(TYPES["types"], {"$ref": name}), format_checker=FormatChecker())
