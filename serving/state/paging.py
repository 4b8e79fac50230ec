"""Read a long span of time page by page, so that neither memory nor a transaction is held for all of it."""

from collections.abc import Iterator

from sqlalchemy import Column, RowMapping, Select, Table, select, tuple_
from sqlalchemy.sql import ColumnElement

from serving.state.database import Database

__all__ = ["PAGE", "paged"]

PAGE = 1000  # rows


def paged(
    database: Database, table: Table, identity: Column[str], *conditions: ColumnElement[bool]
) -> Iterator[RowMapping]:
    """Yield the rows of a table that meet conditions, by their column `at`, then by `identity`.

    Each page is a transaction of its own: rows that are written meanwhile, at later moments, come too.

    Raises:
        StateUnavailableError: the database cannot be read now; the rows so far were yielded.
    """
    order = (table.c.at, identity)
    wanted = select(table).where(*conditions).order_by(*order).limit(PAGE)
    page = _read(database, wanted)
    while page:
        yield from page
        after = tuple_(*order) > (page[-1]["at"], page[-1][identity.name])
        page = _read(database, wanted.where(after)) if len(page) == PAGE else []


def _read(database: Database, query: Select[tuple[object, ...]]) -> list[RowMapping]:
    with database.reading() as connection:
        return list(connection.execute(query).mappings())
