"""`serve`: the router as a service."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from serving.commands.options import KEYS, add_config, add_model_file, add_simulated
from serving.commands.surroundings import SIMULATED_KEYS
from serving.keys import Channel
from serving.observability.settings import LogFormat
from serving.sandbox import Sandbox

if TYPE_CHECKING:
    from serving.proxy.generation import Generation

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "serve"
HELP = "answer as an OpenAI-compatible server"
EXAMPLES = f"""\
examples:
  python -m serving serve
  python -m serving serve --sandbox                    simulated answers, no key needed
  python -m serving serve --config proxy.toml --port 9000
  python -m serving serve --log-format json            a line for each request on standard error

Then point any OpenAI client at http://127.0.0.1:8080/v1, with the model auto, cheap, balanced, premium, or
any model's name, and a browser at http://127.0.0.1:8080/, where a page shows what goes on. Without API keys
of its own (`python -m serving keys create NAME`) it listens on loopback alone. SIGHUP, or a change of the
configuration or the model file, reloads both or neither; SIGTERM and Ctrl-C let requests in flight end. A
model file that is missing or broken stops nothing: balanced answers, and an alarm stands (in GET /v1/status)
until it is mended.
{KEYS}
exit code: 0 when it was stopped, 1 when it could not start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_config(parser)
    add_model_file(parser)
    add_simulated(parser)
    parser.add_argument("--host", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=_port, metavar="N", help="the port; 0 for any free one (default: 8080)"
    )
    parser.add_argument(
        "--log-format",
        dest="log",
        choices=[each.value for each in LogFormat],
        help="one line a request on standard error, as text or JSON (default: off)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    # FastAPI and SQLAlchemy take a while to import, and most commands do without them.
    from serving.commands.state_access import prepare
    from serving.observability.lines import LineHandler, LineWriter, logging_to
    from serving.observability.log_lines import drop_notice, formatter_of
    from serving.proxy.generation import Sources
    from serving.proxy.server import ProxyServer, listen, run_forever
    from serving.proxy.service import Service

    with ExitStack() as stack:
        environ: Mapping[str, str] = os.environ
        base_url = None
        if arguments.sandbox:
            base_url = stack.enter_context(Sandbox.start(remember=0)).url
            environ = {**environ, **SIMULATED_KEYS}
        overrides = {
            name: given for name in ("host", "port", "log") if (given := getattr(arguments, name)) is not None
        }
        sources = Sources(arguments.config, arguments.model_file, environ, overrides, base_url)
        generation = sources.load()
        settings = generation.serve.proxy
        lines = LineWriter.to(sys.stderr, drop_notice(settings.log, time.time))
        stack.callback(lines.close)
        handler = LineHandler(lines, formatter_of(settings.log))  # which never waits for whoever reads it
        stack.enter_context(logging_to(handler, logging.getLogger()))
        prepare(generation.serve.state_url(environ), environ)
        service = Service(sources, generation, environ, say=_say, lines=lines)
        has_keys = service.check()
        listener = stack.enter_context(listen(settings.host, settings.port))
        service.prepare()
        stack.callback(service.abandon)
        for note in _notes(generation, has_keys=has_keys):
            print(f"note: {note}", file=sys.stderr)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        where = f"http://{host}:{listener.getsockname()[1]}/v1"
        upstream = "a simulated upstream" if arguments.sandbox else generation.core.config.base_url
        server = ProxyServer(
            service.app,
            settings,
            on_ready=lambda: _say(f"listening on {where}, routing to {upstream} (Ctrl-C ends it)"),
            on_hangup=service.hang_up,
            on_exit=service.closing,
        )
        run_forever(server, listener)
    return 0 if server.started else 1


def _notes(generation: "Generation", *, has_keys: bool) -> list[str]:
    notes = []
    if generation.core.keys.pro is None:
        notes.append(f"{Channel.PRO.variable} is not set: models named Pro/... are skipped")
    if not has_keys:
        notes.append(
            "there are no API keys: whoever is on this machine may ask (python -m serving keys create)"
        )
    if not generation.premium:
        notes.append("no budget caps what the premium tier may cost a day ([budgets] in the configuration)")
    if generation.pacing is not None:
        notes.append(
            "the premium budget is spread over the day: prompts that need premium less are rationed before "
            "the cap is reached (under [pacing], enabled = false leaves the cap alone)"
        )
    return notes


def _say(line: str) -> None:
    print(line, flush=True)


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return number
