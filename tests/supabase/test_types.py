"""web/circle27.d.ts: tsc accepts what is right, and finds what is wrong."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from circle27.paths import ROOT
from circle27.reference import sources
from circle27.reference.calls import supabase_js

HERE = Path(__file__).parent
TYPED = HERE / "typed.ts"
SUPABASE_JS, TYPES = HERE / "node_modules/@supabase/supabase-js", ROOT / "web/circle27"
CLIENT = f"declare const supabase: import('{SUPABASE_JS}').SupabaseClient<import('{TYPES}').Database>;\nexport {{}};\n"
OPTIONS = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noEmit": True,
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    "skipLibCheck": True,  # of supabase-js's own dependencies
    "types": [],
}


@pytest.fixture(scope="module")
def calls() -> list[str]:
    """The calls of docs/api.md in supabase-js."""
    parts = sources.parts(sources.story())
    return [text for part in parts for example in part["examples"] if (text := supabase_js(part, example))]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory, calls: list[str]) -> Counter[str]:
    """How much tsc finds wrong in each of four programs; one run, for most of it is reading."""
    folder = tmp_path_factory.mktemp("types")
    page, wrong, settings = folder / "page.ts", folder / "wrong.ts", folder / "tsconfig.json"
    introduction = folder / "introduction.ts"
    (begin,) = re.findall(r"```ts\n(.*?)```", sources.story()["introduction"], re.S)
    for name, path in (("@supabase/supabase-js", SUPABASE_JS), ("./circle27", TYPES)):
        begin = begin.replace(f"'{name}'", f"'{path}'")
    introduction.write_text(f"declare const anonKey: string, token: string;\n{begin}", "utf-8")
    page.write_text(CLIENT + "".join(f"await {call};\n" for call in calls), "utf-8")
    wrong.write_text(CLIENT + "await supabase.rpc('join_waitlist', {});\n", "utf-8")
    files = [str(file) for file in (TYPED, introduction, page, wrong)]
    settings.write_text(json.dumps({"compilerOptions": OPTIONS, "files": files}), "utf-8")
    tsc = HERE / "node_modules/typescript/bin/tsc"
    assert tsc.exists(), "stack/setup.sh installs typescript"
    done = subprocess.run(["node", tsc, "-p", settings], text=True, capture_output=True, check=False, timeout=120)
    print(done.stdout)
    return Counter(Path(name).name for name in re.findall(r"^(.*)\(\d+,\d+\): error TS", done.stdout, re.M))


def test_an_application_is_typed(complaints: Counter[str]) -> None:
    assert TYPED.read_text("utf-8").count("@ts-expect-error ") > 20
    assert complaints["typed.ts"] == 0


def test_the_calls_on_the_page_are_right(complaints: Counter[str], calls: list[str]) -> None:
    assert len(calls) > 25
    assert complaints["page.ts"] == complaints["introduction.ts"] == 0


def test_a_wrong_call_is_found(complaints: Counter[str]) -> None:
    assert complaints == {"wrong.ts": 1}


def test_the_client_is_what_its_types_say() -> None:
    """web/circle27.js exports, and lets one call, what docs/api/client.d.ts declares, and no more."""
    script = f"""
        import * as client from '{ROOT}/web/circle27.js';
        const members = Object.getOwnPropertyNames(client.Circle27.prototype);
        const own = Object.getOwnPropertyNames(new client.Circle27());
        console.log(JSON.stringify([Object.keys(client), [...members, ...own]]));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], text=True, capture_output=True, check=True, timeout=30
    )
    exported, members = json.loads(done.stdout)
    declared = sources.client_types()
    assert exported == re.findall(r"declare class (\w+)", declared)
    body = declared[: declared.index("\n}\n")]
    named = set(re.findall(r"^  (?:readonly )?(\w+)(?:<.*>)?[(:<]", body, re.M))
    assert set(members) == named - {"addEventListener", "removeEventListener"}
