"""What is not used is not imported."""

import subprocess
import sys


def test_the_command_line_loads_neither_prometheus_nor_opentelemetry() -> None:
    program = (
        "import sys, serving.cli; "
        "print(sorted({'prometheus_client', 'opentelemetry'} & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_proxy_without_traces_does_not_need_the_extra() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.sdk'] = sys.modules['opentelemetry.exporter'] = None; "
        "import serving.proxy.service; "
        "from serving.proxy.telemetry import can_trace; "
        "from serving.observability.settings import TelemetrySettings; "
        "print(can_trace(TelemetrySettings(), {}))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
