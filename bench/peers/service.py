"""The peer: the day's buttons and joining as a careful FastAPI service would have them, one query each.

It answers at the paths of PostgREST, so that the same gateway fits before it, and gives the same answers. It holds
the same promises (signature, expiry and audience of the token, ended sessions, closed accounts; slot's lock, event and
trail of a join) and leaves out what the bench does not ask for: other days, limits, the words of refusals.

Behind PgBouncer 1.18 no statement stays prepared, and a call takes a transaction, as its parts must meet the same
server connection. With PREPARED=1 (straight to PostgreSQL) statements stay prepared and a poll is one round trip.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import orjson
from fastapi import FastAPI, HTTPException, Request, Response

HERE = Path(__file__).parent
PREPARED = os.environ.get("PREPARED") == "1"
DAY, JOIN = (HERE / "day.sql").read_text("utf-8"), (HERE / "join.sql").read_text("utf-8")
SLOT_LOCK = "select pg_advisory_xact_lock_shared(hashtextextended('slot ' || $1 || $2, 0))"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold a pool of connections as long as the service lives."""
    size = 0 if not PREPARED else 100
    async with asyncpg.create_pool(os.environ["DSN"], min_size=10, max_size=10, statement_cache_size=size) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
KEY = os.environ.get("JWT_KEY", "")


def caller(request: Request) -> dict[str, Any]:
    """Return the claims of the request's token, or refuse it."""
    try:
        token = request.headers["authorization"].removeprefix("Bearer ")
        return jwt.decode(
            token, KEY, algorithms=["HS256"], audience="authenticated", options={"require": ["exp", "sub"]}
        )
    except (KeyError, jwt.InvalidTokenError):
        raise HTTPException(401) from None


@app.get("/rpc/get_button_states")
async def get_button_states(request: Request) -> Response:
    """Give the buttons of today."""
    claims = caller(request)
    async with request.app.state.pool.acquire() as connection:
        if PREPARED:
            rows = await connection.fetch(DAY, claims["sub"], claims["session_id"])
        else:
            async with connection.transaction(readonly=True):
                rows = await connection.fetch(DAY, claims["sub"], claims["session_id"])
    require_member(rows)
    slots = [state(row) for row in rows if row["time_slot"]]
    now = rows[0]["now"].astimezone(ZoneInfo(rows[0]["time_zone"]))
    return Response(orjson.dumps({"now": now, "slots": slots}), media_type="application/json")


@app.post("/rpc/join_waitlist")
async def join_waitlist(request: Request) -> Response:
    """Put the member on a slot's list, once: entry, event and trail in one transaction, under the slot's lock."""
    claims = caller(request)
    time_slot = datetime.fromisoformat(orjson.loads(await request.body())["p_time_slot"])
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(SLOT_LOCK, claims["campus_id"], str(time_slot))
        rows = await connection.fetch(
            JOIN,
            claims["sub"],
            claims["session_id"],
            time_slot,
            request.headers.get("x-real-ip"),
            request.headers.get("x-request-id"),
        )
        require_member(rows)
        row = rows[0]
        if row["time_slot"] is None:
            raise HTTPException(404)
        if row["now"] >= row["deadline_at"]:
            raise HTTPException(409)
        button = state(row)
        if row["is_new"]:
            payload = orjson.dumps(button).decode()
            await connection.execute(
                "insert into events.outbox (campus_id, channel, event, payload) values ($1, $2, 'button', $3)",
                claims["campus_id"], f"user:{claims['sub']}", payload,
            )  # fmt: skip
    return Response(orjson.dumps(button), media_type="application/json")


def require_member(rows: list[Any]) -> None:
    """Refuse who is no member, has closed the account or whose session was ended."""
    if not rows:
        raise HTTPException(403)
    if rows[0]["closed_at"] is not None or rows[0]["session_over"]:
        raise HTTPException(401)


def state(row: Any) -> dict[str, Any]:
    """Say what one row means: Method 7 and what stands around it."""
    now, deadline, end, zone = row["now"], row["deadline_at"], row["ends_at"], ZoneInfo(row["time_zone"])
    cancelled, matched = row["cancelled_at"] is not None, row["matched_at"] is not None
    listed, seated = row["on_waitlist"], row["in_circle"] and not cancelled
    at = deadline.astimezone(zone)
    hour = f"{at.hour % 12 or 12}{f':{at.minute:02}' if at.minute else ''}{'AM' if at.hour < 12 else 'PM'}"
    if now < deadline and not matched and not cancelled:
        button = ("leave", "Can't Go", False, "Decide by ") if listed else ("join", "Join", False, "Decide by ")
    elif not seated:
        button = ("past", "Past", True, "Closed at ")
    elif now < end:
        button = ("confirmed", "Confirmed ✓", False, "Confirmed at ")
    elif row["feedback"]:
        button = ("past", "Past", True, "Confirmed at ")
    else:
        button = ("feedback", "Feedback >", False, "Confirmed at ")
    changes: datetime | None = None
    if cancelled:
        status = "cancelled"
    elif now >= end:
        status = "ended"
    elif matched:
        status, changes = "matched", end if row["in_circle"] else None
    elif now >= deadline:
        status, changes = "matching", now + timedelta(seconds=2) if listed else None
    else:
        status, changes = "open", deadline
    return {
        "buttonState": button[0],
        "buttonText": button[1],
        "isDisabled": button[2],
        "middleText": button[3] + hour,
        "timeSlot": row["time_slot"].astimezone(zone),
        "deadlineAt": at,
        "endsAt": end.astimezone(zone),
        "slotStatus": status,
        "pending": listed and status == "matching",
        "changesAt": changes and changes.astimezone(zone),
        "version": row["version"],
    }
