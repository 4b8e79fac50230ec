"""The answers that are kept: found by their request's key, bounded in number, bytes and time."""

import zlib
from collections.abc import Iterable

from sqlalchemy import RowMapping, bindparam, delete, func, select, update

from serving.cache.stored_answer import StoredAnswer
from serving.state.database import Database
from serving.state.ledger_values import storable_text
from serving.state.schema import answers

__all__ = ["Answers"]

_AT_ONCE = 500  # rows; writers get their turn between
_SMALL = 256  # bytes that compression would not make smaller
_ZLIB = "zlib"


class Answers:
    """The answers of a database; any number of threads and processes may share it.

    Bodies of streams shrink to a tenth by compression, others to a third; they are kept as answers came, in
    the clear. Every method raises `StateUnavailableError` when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        """Keep them in a database."""
        self._database = database
        add = database.insert(answers)
        latest = {column.name: add.excluded[column.name] for column in answers.c if not column.primary_key}
        self._add = add.on_conflict_do_update(
            index_elements=["answer_key"], set_=latest, where=answers.c.at <= add.excluded.at
        )

    def find(self, key: str) -> StoredAnswer | None:
        """Return the answer to a request, fresh or not; None where there is none, or it cannot be read."""
        with self._database.reading() as connection:
            row = connection.execute(select(answers).where(answers.c.answer_key == key)).mappings().first()
        return None if row is None else _answer(row)

    def put(self, answer: StoredAnswer) -> None:
        """Keep an answer; of two to the same request the later one stays."""
        with self._database.writing() as connection:
            connection.execute(self._add, _values(answer))

    def used(self, keys: Iterable[str], at: float) -> None:
        """Note that answers were used, so that others leave before them."""
        last = (
            update(answers)
            .where(answers.c.answer_key == bindparam("used_key"))
            .values(used_at=bindparam("at_last"))
        )
        touched = [{"used_key": key, "at_last": at} for key in sorted(keys)]
        for start in range(0, len(touched), _AT_ONCE):
            with self._database.writing() as connection:
                connection.execute(last, touched[start : start + _AT_ONCE])

    def forget(self, key: str) -> None:
        """Delete one answer."""
        with self._database.writing() as connection:
            connection.execute(delete(answers).where(answers.c.answer_key == key))

    def size(self) -> tuple[int, int]:
        """Return how many there are, and their bytes as they are stored."""
        with self._database.reading() as connection:
            count, total = connection.execute(select(func.count(), func.sum(answers.c.bytes))).one()
        return int(count), int(total or 0)

    def span(self) -> tuple[float, float] | None:
        """Return when the oldest and the newest answer were given; None where there is none."""
        with self._database.reading() as connection:
            oldest, newest = connection.execute(select(func.min(answers.c.at), func.max(answers.c.at))).one()
        return None if oldest is None else (oldest, newest)

    def prune(self, now: float) -> int:
        """Delete what has expired, some hundred at a time; return how many there were."""
        expired = select(answers.c.answer_key).where(answers.c.expires_at <= now).limit(_AT_ONCE)
        return self._delete_all(expired)

    def bound(self, most_entries: int, most_bytes: int) -> int:
        """Delete those that were used longest ago until the rest keeps the bounds; return how many."""
        total, deleted = 0, 1
        while deleted:
            deleted = self._delete_some(most_entries, most_bytes)
            total += deleted
        return total

    def clear(self, scope: str | None = None) -> int:
        """Delete the answers of a scope, or all of them; return how many there were."""
        some = select(answers.c.answer_key).limit(_AT_ONCE)
        return self._delete_all(some if scope is None else some.where(answers.c.scope == scope))

    def _delete_some(self, most_entries: int, most_bytes: int) -> int:
        count, size = self.size()
        if count <= most_entries and size <= most_bytes:
            return 0
        order = (answers.c.used_at, answers.c.answer_key)
        with self._database.reading() as connection:
            oldest = connection.execute(
                select(answers.c.answer_key, answers.c.bytes).order_by(*order).limit(_AT_ONCE)
            ).all()
        leaving = []
        for key, each in oldest:
            if count <= most_entries and size <= most_bytes:
                break
            leaving.append(key)
            count, size = count - 1, size - each
        with self._database.writing() as connection:
            return connection.execute(delete(answers).where(answers.c.answer_key.in_(leaving))).rowcount

    def _delete_all(self, some: "object") -> int:
        total, deleted = 0, _AT_ONCE
        gone = delete(answers).where(answers.c.answer_key.in_(some.scalar_subquery()))  # type: ignore[attr-defined]
        while deleted == _AT_ONCE:
            with self._database.writing() as connection:
                deleted = connection.execute(gone).rowcount
            total += deleted
        return total


def _values(answer: StoredAnswer) -> dict[str, object]:
    packed = zlib.compress(answer.body) if len(answer.body) > _SMALL else answer.body
    smaller = len(packed) < len(answer.body)
    body = packed if smaller else answer.body
    return {
        "answer_key": answer.key,
        "scope": answer.scope,
        "at": answer.at,
        "expires_at": answer.expires_at,
        "used_at": answer.at,
        "tier": answer.tier,
        "model": storable_text(answer.model),
        "channel": answer.channel,
        "model_version": None if answer.model_version is None else storable_text(answer.model_version),
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "usd": answer.usd,
        "streamed": answer.streamed,
        "encoding": _ZLIB if smaller else "",
        "bytes": len(body),
        "body": body,
    }


def _answer(row: RowMapping) -> StoredAnswer | None:
    body = bytes(row["body"])
    if row["encoding"] == _ZLIB:
        try:
            body = zlib.decompress(body)
        except zlib.error:
            return None
    return StoredAnswer(
        key=row["answer_key"],
        scope=row["scope"],
        at=row["at"],
        expires_at=row["expires_at"],
        model=row["model"],
        channel=row["channel"],
        streamed=row["streamed"],
        body=body,
        tier=row["tier"],
        model_version=row["model_version"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        usd=row["usd"],
    )
