"""An example of the story as a request: what the tests send and what the page shows are one thing."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from circle27.reference.catalogue import Catalogue

WIDTH = 100


@dataclass(frozen=True)
class Call:
    """One request. `path` begins at the gateway's root; `body` is sent as JSON."""

    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def address(self) -> str:
        """Path and query, encoded; what is no text is written as JSON."""
        texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in self.query.items()}
        return f"{self.path}?{urlencode(texts, safe=':,')}" if texts else self.path

    def curl(self, person: str) -> str:
        """Return the request as a command of a shell; $ANN holds Ann's token."""
        words = ["curl -s"] if self.method in ("GET", "POST") else [f"curl -s -X {self.method}"]
        base = "$API" if self.path.startswith("/rest/v1") else "http://127.0.0.1:8027"
        lines = [f'{words[0]} "{base}{self.address.removeprefix("/rest/v1")}"']
        if person != "nobody":
            lines.append(f'-H "Authorization: Bearer ${person.upper()}"')
        lines += [f'-H "{name}: {value}"' for name, value in self.headers.items()]
        if self.method == "POST":
            lines.append('-H "Content-Type: application/json"')
            text = pretty(self.body, "     ").replace("'", "'\\''")
            lines.append(f"-d '{text}'")
        return " \\\n     ".join(lines)


def call(part: dict[str, Any], example: dict[str, Any], catalogue: Catalogue) -> Call:
    """Return the request of an example. A function that only reads is called by GET, unless it takes a list."""
    if part["kind"] == "path":
        return Call("GET", part["name"])
    if part["kind"] == "view":
        return Call(
            example.get("method", "GET"),
            f"/rest/v1/{part['name']}",
            example.get("query", {}),
            example.get("headers", {}),
            example.get("body"),
        )
    path, arguments = f"/rest/v1/rpc/{part['name']}", example.get("arguments", {})
    takes_list = any(
        isinstance(value, list) for value in arguments.values()
    )  # in an address, PostgreSQL's own notation
    if catalogue.functions[part["name"]].reads_only and not takes_list:
        return Call("GET", path, arguments)
    return Call("POST", path, body=arguments)


def supabase_js(part: dict[str, Any], example: dict[str, Any]) -> str:
    """Return the call in supabase-js: an expression, or '' where supabase-js has none."""
    if part["kind"] != "function":
        return str(example.get("js", ""))
    arguments = example.get("arguments", {})
    line = f"supabase.rpc('{part['name']}'{', ' + _literal(arguments) if arguments else ''})"
    if len(line) <= WIDTH:
        return line
    each = "".join(f"  {name}: {_literal(value)},\n" for name, value in arguments.items())
    return f"supabase.rpc('{part['name']}', {{\n{each}}})"


def _literal(value: Any) -> str:
    """Return a value as people write it in JavaScript."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key}: {_literal(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(_literal(each) for each in value)}]"
    if isinstance(value, str) and "'" not in value:
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def pretty(value: Any, indent: str = "") -> str:
    """Return JSON in which what fits on a line stands on one."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {pretty(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + pretty(each, inner) for each in value) + f"\n{indent}]"
