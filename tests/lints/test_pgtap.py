"""The collector itself: what must not pass as a pgTAP file."""

from pathlib import Path

import pytest

from tests.pgtap import TapFailure, TapRun, statements


@pytest.mark.parametrize("ending", ["commit;", "END;", "commit and chain;", "rollback;\nselect 1;"])
def test_a_file_never_ends_its_transaction(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "file.sql"
    file.write_text(f"begin;\nselect plan(1);\nselect pass('x');\n{ending}\n")
    with pytest.raises(TapFailure, match="would end the transaction"):
        statements(file)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select pass('no plan');", "plan"),
        ("select plan(2); select pass('one'); select * from finish();", "planned 2"),
        ("select plan(2); select pass('one');", "planned 2 assertions, ran 1"),
        ("-- nothing", "no plan"),
        ("select plan(0); select pass('one');", "no plan"),
        ("select plan(1); select pass(1/0 || '');", "0 of 1 assertions had run"),
        ("select plan(1);\nselect nonsense();", "file.sql:2"),
    ],
)
def test_incomplete_files_fail(
    tmp_path: Path,
    text: str,
    complaint: str,
    request: pytest.FixtureRequest,
    subtests: pytest.Subtests,
) -> None:
    file = tmp_path / "file.sql"
    file.write_text(text)
    with pytest.raises(TapFailure, match=complaint):
        TapRun(file, request.getfixturevalue("transaction"), subtests).run(request)
