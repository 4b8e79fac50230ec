"""The keys of the upstream's channels: read from an environment, never shown."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from serving.errors import KeyMissingError

__all__ = ["CHANNELS", "Channel", "Keys", "Secret"]

_MASK = "***"


class Channel(enum.StrEnum):
    """A way to a model: the two of the aggregator, each with a key of its own, and the ways past it."""

    STANDARD = "standard"
    PRO = "pro"
    BREAK_GLASS = "break-glass"

    @property
    def variable(self) -> str:
        """The environment variable that holds the key of one of the aggregator's channels."""
        return {Channel.STANDARD: "GLOBAL_API_KEY", Channel.PRO: "GLOBAL_API_PRO_KEY"}[self]

    @classmethod
    def of(cls, model: str) -> "Channel":
        """Return the channel that a model is reached by: Pro for names that begin with `Pro/`.

        >>> Channel.of("Pro/deepseek-ai/DeepSeek-V3.2")
        <Channel.PRO: 'pro'>
        """
        return cls.PRO if model.startswith("Pro/") else cls.STANDARD


CHANNELS = (Channel.STANDARD, Channel.PRO)
"""Those of the aggregator."""


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
        more: of direct providers, by the environment variables that hold them.
    """

    standard: Secret
    pro: Secret | None = None
    more: Mapping[str, Secret] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], more: Iterable[str] = ()) -> "Keys":
        """Read `GLOBAL_API_KEY` and, where it is set, `GLOBAL_API_PRO_KEY`.

        Args:
            environ: where the keys are.
            more: variables that hold keys of direct providers.

        Raises:
            KeyMissingError: one of them is not set, but for the Pro channel's, or cannot be sent as a header.
        """
        standard = _read(environ, Channel.STANDARD.variable)
        if standard is None:
            variable = Channel.STANDARD.variable
            raise KeyMissingError(f"{variable} is not set: put the key of your account into the environment")
        return cls(
            standard, _read(environ, Channel.PRO.variable), {each: _direct(environ, each) for each in more}
        )

    def of(self, channel: Channel) -> Secret | None:
        """Return the key of a channel of the aggregator, or None when there is none."""
        return {Channel.STANDARD: self.standard, Channel.PRO: self.pro}.get(channel)

    def mask(self, text: str) -> str:
        """Return a text in which every occurrence of a key is masked."""
        for secret in (*self.more.values(), self.pro, self.standard):
            if secret is not None:
                text = text.replace(secret.reveal(), _MASK)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes in which every occurrence of a key is masked."""
        for secret in (*self.more.values(), self.pro, self.standard):
            if secret is not None:
                data = data.replace(secret.reveal().encode("ascii"), _MASK.encode("ascii"))
        return data


def _direct(environ: Mapping[str, str], variable: str) -> Secret:
    key = _read(environ, variable)
    if key is None:
        raise KeyMissingError(
            f"{variable} is not set, and [break_glass] names it: set it to the provider's key"
        )
    return key


def _read(environ: Mapping[str, str], variable: str) -> Secret | None:
    value = environ.get(variable, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise KeyMissingError(f"{variable} holds characters that no key has: copy the key again")
    return Secret(value)
