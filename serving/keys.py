"""The keys of the upstream's channels: read from an environment, never shown."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from serving.errors import KeyMissingError

__all__ = ["Channel", "Keys", "Secret"]

_MASK = "***"


class Channel(enum.StrEnum):
    """A way to the upstream, with a key of its own."""

    STANDARD = "standard"
    PRO = "pro"

    @property
    def variable(self) -> str:
        """The environment variable that holds the channel's key."""
        return {Channel.STANDARD: "GLOBAL_API_KEY", Channel.PRO: "GLOBAL_API_PRO_KEY"}[self]

    @classmethod
    def of(cls, model: str) -> "Channel":
        """Return the channel that a model is reached by: Pro for names that begin with `Pro/`.

        >>> Channel.of("Pro/deepseek-ai/DeepSeek-V3.2")
        <Channel.PRO: 'pro'>
        """
        return cls.PRO if model.startswith("Pro/") else cls.STANDARD


class Secret:
    """A string that only `reveal` shows.

    >>> Secret("ga_pro_0123")
    Secret('***')
    >>> f"{Secret('ga_pro_0123')}"
    '***'
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the string itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __str__(self) -> str:
        return _MASK


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys at hand.

    Attributes:
        standard: of the standard channel.
        pro: of the Pro channel, or None when there is none.
    """

    standard: Secret
    pro: Secret | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Keys":
        """Read `GLOBAL_API_KEY` and, where it is set, `GLOBAL_API_PRO_KEY`.

        Raises:
            KeyMissingError: the first is not set, or one of them cannot be sent as a header.
        """
        standard = _read(environ, Channel.STANDARD)
        if standard is None:
            variable = Channel.STANDARD.variable
            raise KeyMissingError(f"{variable} is not set: put the key of your account into the environment")
        return cls(standard, _read(environ, Channel.PRO))

    def of(self, channel: Channel) -> Secret | None:
        """Return the key of a channel, or None when there is none."""
        return self.pro if channel is Channel.PRO else self.standard

    def mask(self, text: str) -> str:
        """Return a text in which every occurrence of a key is masked."""
        for secret in (self.pro, self.standard):
            if secret is not None:
                text = text.replace(secret.reveal(), _MASK)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes in which every occurrence of a key is masked."""
        for secret in (self.pro, self.standard):
            if secret is not None:
                data = data.replace(secret.reveal().encode("ascii"), _MASK.encode("ascii"))
        return data


def _read(environ: Mapping[str, str], channel: Channel) -> Secret | None:
    value = environ.get(channel.variable, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise KeyMissingError(f"{channel.variable} holds characters that no key has: copy the key again")
    return Secret(value)
