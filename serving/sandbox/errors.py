"""What can go wrong with the simulated upstream.

SandboxError
    SandboxPortError     the wanted port could not be had
    SandboxStartError    the server did not come up within its bound
"""


class SandboxError(Exception):
    """Root of the errors of the simulated upstream."""


class SandboxPortError(SandboxError):
    """The port is taken, or may not be used by this account."""


class SandboxStartError(SandboxError):
    """The server did not answer within its start bound, or died while starting."""
