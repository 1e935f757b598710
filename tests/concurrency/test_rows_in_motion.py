"""Policies that find rows by their addresses, while the rows move: each read sees all of them, each once."""

from threading import Event, Thread

import psycopg

READS = 300


def test_no_row_is_missed_while_it_moves(postgresql: psycopg.Connection) -> None:
    connection = postgresql
    connection.execute("""
        select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
        select tests.create_slot('two', '14:00');
        select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name)""")
    connection.commit()
    dsn = connection.info.dsn
    ended, moves = Event(), []

    def move() -> None:
        """Give each row a new address again and again, and let the old places be used anew."""
        with psycopg.connect(dsn, autocommit=True) as mover:
            while not ended.is_set():
                mover.execute("update app.circle_members set attended = not coalesce(attended, false)")
                mover.execute("update app.circles set spot_id = spot_id")
                mover.execute("vacuum app.circle_members, app.circles")
                moves.append(1)

    thread = Thread(target=move)
    thread.start()
    try:
        connection.execute("select tests.act_as('ann')")
        connection.commit()
        seen = set()
        for _ in range(READS):
            connection.execute("select tests.act_as('ann')")
            row = connection.execute(
                "select (select count(*) from app.circle_members), (select count(distinct user_id)"
                " from app.circle_members), (select count(*) from app.circles)"
            ).fetchone()
            seen.add(row)
            connection.rollback()
    finally:
        ended.set()
        thread.join()
    assert len(moves) > 5, "nothing moved"
    assert seen == {(3, 3, 1)}
