"""Feedback over HTTP: when, by whom, once, and what may be in it."""

from typing import Any

import pytest

from tests.life import BUTTON, Campus


def test_feedback_is_given_once_and_the_button_is_past(campus: Campus) -> None:
    ann, bob, cleo = campus.matched("Ann", "Bob", "Cleo")
    campus.at(minutes=20)
    before = ann.button(campus.slot)
    said = {
        "p_time_slot": campus.slot,
        "p_rating": 5,
        "p_comment": "Lovely",
        "p_about": [
            {"userId": bob.user_id, "meetAgain": True},
            {"userId": cleo.user_id.upper(), "meetAgain": None, "noShow": True},
        ],
    }
    state = ann.gets("submit_feedback", **said)
    assert [state[key] for key in BUTTON] == ["past", "Past", "Confirmed at 1PM", True]
    assert state["version"] > before["version"]
    assert state == ann.button(campus.slot) == ann.gets("submit_feedback", **said)
    others: list[dict[str, Any]] = [{"p_rating": 4}, {"p_comment": "Dull"}, {"p_about": []}, {"p_comment": None}]
    for other in others:
        assert ann.refused("submit_feedback", **{**said, **other}) == (409, "feedback_given"), other
    assert [bob.says(campus.slot), cleo.says(campus.slot)] == ["feedback", "feedback"]
    assert ann.rest("GET", "feedback?select=rating,comment").json() == [{"rating": 5, "comment": "Lovely"}]
    assert bob.rest("GET", "feedback").json() == []


def test_feedback_opens_at_the_end(campus: Campus) -> None:
    (early,) = campus.members("Early")
    said = {"p_time_slot": campus.slot, "p_rating": 3}
    assert early.refused("submit_feedback", **said) == (409, "not_matched_yet")
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    assert ann.refused("submit_feedback", **said) == (409, "feedback_not_open")
    campus.at(minutes=19, seconds=50)
    assert ann.refused("submit_feedback", **said) == (409, "feedback_not_open")
    campus.at(minutes=20)
    assert ann.gets("submit_feedback", **said)["buttonState"] == "past"
    campus.at(hours=30 * 24)
    assert ann.gets("submit_feedback", **said)["buttonState"] == "past"


def test_who_was_in_no_circle_has_nothing_to_say(campus: Campus) -> None:
    campus.matched("Ann", "Bob", "Cleo")
    (dan,) = campus.members("Dan")
    campus.at(minutes=20)
    said = {"p_time_slot": campus.slot, "p_rating": 3}
    assert dan.refused("submit_feedback", **said) == (404, "no_circle")
    assert dan.refused("submit_feedback", **{**said, "p_time_slot": "2001-01-01"}) == (404, "slot_not_found")
    assert campus.nobody.refused("submit_feedback", **said) == (401, None)
    assert campus.service.refused("submit_feedback", **said) == (403, None)


def test_who_was_left_out_has_nothing_to_say(campus: Campus) -> None:
    ann, _ = campus.matched("Ann", "Bob")
    campus.at(minutes=20)
    assert ann.refused("submit_feedback", p_time_slot=campus.slot, p_rating=3) == (404, "no_circle_formed")


def test_a_cancelled_slot_is_not_rated(campus: Campus) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    campus.service.gets("cancel_time_slot", p_time_slot=campus.slot, p_campus_id=campus.campus_id)
    campus.at(minutes=20)
    assert ann.says(campus.slot) == "past"
    assert ann.refused("submit_feedback", p_time_slot=campus.slot, p_rating=3) == (409, "slot_cancelled")


def test_what_feedback_may_not_say(campus: Campus) -> None:
    ann, bob, cleo = campus.matched("Ann", "Bob", "Cleo")
    (dan,) = campus.members("Dan")
    campus.at(minutes=20)

    def said(**arguments: Any) -> tuple[int, str | None]:
        return ann.refused("submit_feedback", **{"p_time_slot": campus.slot, "p_rating": 3, **arguments})

    for number in (0, 6, -1, None, 2**31 - 1):
        assert said(p_rating=number) == (422, "rating_invalid"), number
    no_integers: list[Any] = [2**31, 1e308, 3.5, "three", True, [], {}]
    for rating in no_integers:
        assert said(p_rating=rating)[0] == 400, rating
    assert said(p_comment="x" * 2001) == (422, "comment_invalid")
    about: list[Any] = [
        {},
        "text",
        5,
        True,
        ["text"],
        [None],
        [[]],
        [{}],
        [{"userId": None}],
        [{"userId": 5}],
        [{"userId": "bob"}],
        [{"userId": ann.user_id}],
        [{"userId": dan.user_id}],
        [{"userId": bob.user_id, "meetAgain": "yes"}],
        [{"userId": bob.user_id, "noShow": 1}],
        [{"userId": bob.user_id, "meetAgain": True, "noShow": True}],
        [{"userId": bob.user_id, "rude": True}],
        [{"userId": bob.user_id}, {"userId": bob.user_id.upper()}],
        [{"userId": bob.user_id}, {"userId": cleo.user_id}, {"userId": dan.user_id}],
        [{"userId": bob.user_id}] * 900,
    ]
    for wrong in about:
        assert said(p_about=wrong) == (422, "about_invalid"), wrong
    assert ann.says(campus.slot) == "feedback"


@pytest.mark.parametrize(
    "comment", ["x" * 2000, "  ", "", "Zwölf\nBoxkämpfer 😀 \u202e", "<script>alert(1)</script>", "=1+1"]
)
def test_what_a_comment_may_hold(campus: Campus, comment: str) -> None:
    ann, *_ = campus.matched("Ann", "Bob", "Cleo")
    campus.at(minutes=20)
    ann.gets("submit_feedback", p_time_slot=campus.slot, p_rating=1, p_comment=comment)
    assert ann.rest("GET", "feedback?select=comment").json() == [{"comment": comment.strip(" ") or None}]
