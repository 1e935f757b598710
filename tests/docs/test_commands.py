"""The commands of the documents do what the documents say."""

import pytest

from circle27.paths import ROOT
from tests.docs.blocks import read_blocks
from tests.docs.follow import Follower

# In the order in which a stranger meets them: they read the others with the traces of a day in the database.
FIRST = ["README.md", "docs/tutorial.md"]
# Documents whose commands other tests run.
ELSEWHERE = {
    "docs/api.md",  # each example is played: tests/reference
    "docs/how-to/change-the-schema.md",  # under load: tests/migrations
}

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "db/README.md",
    "tests/README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions"),
]
FOLLOWED = [
    document
    for document in [*FIRST, *(document for document in DOCUMENTS if document not in FIRST)]
    if document not in ELSEWHERE and any(block.is_run for block in read_blocks(ROOT / document))
]


@pytest.mark.parametrize("document", FOLLOWED)
def test_a_document_is_followed(document: str, follower: Follower, subtests: pytest.Subtests) -> None:
    follower.follow(document, subtests)


@pytest.mark.parametrize("document", [document for document in DOCUMENTS if document not in ELSEWHERE])
def test_each_block_says_what_it_is(document: str) -> None:
    for block in read_blocks(ROOT / document):
        assert block.language, f"{document}:{block.line}: ```sh, ```text, ```json, ```sql ...?"
        if block.not_run is not None:
            assert block.language == "sh", f"{document}:{block.line}: only commands are run, or not run"
            assert len(block.not_run.split()) >= 4, f"{document}:{block.line}: why is it not run?"
