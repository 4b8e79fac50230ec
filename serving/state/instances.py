"""Which processes of the proxy are alive, as their heartbeats tell."""

from sqlalchemy import delete, select

from serving.state.database import Database
from serving.state.schema import instances

__all__ = ["Instances"]


class Instances:
    """Heartbeats of the processes that share a database."""

    def __init__(self, database: Database) -> None:
        """Keep them in a database."""
        self._database = database
        beat = database.insert(instances)
        self._beat = beat.on_conflict_do_update(
            index_elements=["instance"], set_={"beat_at": beat.excluded.beat_at}
        )

    def beat(self, instance: str, at: float) -> None:
        """Note that a process is alive; the first beat comes before its first reservation.

        Args:
            instance: of the process, chosen anew at each start.
            at: now, seconds since the epoch; replicas' clocks should agree to a few seconds.

        Raises:
            StateUnavailableError: the database cannot be written now.
        """
        with self._database.writing() as connection:
            connection.execute(self._beat, {"instance": instance, "beat_at": at})

    def leave(self, instance: str) -> None:
        """Note that a process ends; what it still holds is charged with the next orphans.

        Raises:
            StateUnavailableError: the database cannot be written now.
        """
        with self._database.writing() as connection:
            connection.execute(delete(instances).where(instances.c.instance == instance))

    def forget(self, beat_before: float) -> None:
        """Drop processes that were last heard of before a moment; one of them that beats again is back.

        Raises:
            StateUnavailableError: the database cannot be written now.
        """
        with self._database.writing() as connection:
            connection.execute(delete(instances).where(instances.c.beat_at < beat_before))

    def alive(self, since: float) -> frozenset[str]:
        """Return the processes that were heard of at or after a moment.

        Raises:
            StateUnavailableError: the database cannot be read now.
        """
        with self._database.reading() as connection:
            return frozenset(
                connection.scalars(select(instances.c.instance).where(instances.c.beat_at >= since))
            )
