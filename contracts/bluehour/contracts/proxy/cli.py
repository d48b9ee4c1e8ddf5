"""The command `bluehour proxy`. It imports quickly: what judges is loaded when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bluehour.mock_server import __version__
from bluehour.mock_server.cli import Problem

from ..commands import certificate_options, header_option, spec_options

_BETWEEN_NEIGHBOURS = {
    "host": "it is the URL's",
    **dict.fromkeys(
        ("connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"),
        "it is of the connection",
    ),
}
"""Headers that can't be given, and why."""


@click.command(context_settings={"auto_envvar_prefix": "BLUEHOUR_PROXY", "show_default": True})
@click.option(
    "--upstream",
    metavar="URL",
    required=True,
    show_envvar=True,
    help="The server that is judged, such as https://api.example.com.",
)
@spec_options("Judge by")
@click.option("--host", default="127.0.0.1", show_envvar=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4011,
    show_envvar=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--console-port",
    type=click.IntRange(0, 65535),
    show_envvar=True,
    show_default="the one after --port",
    help="Port of the console at /_mock; 0 takes a free one.",
)
@click.option(
    "--journal",
    metavar="N",
    type=click.IntRange(0, 100_000),
    default=1000,
    show_envvar=True,
    help="How many requests are kept to look at in the console; 0 keeps none.",
)
@click.option(
    "--har",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    show_envvar=True,
    help="Where the journal is written as an HTTP archive when the proxy stops.",
)
@click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(0, 3600, min_open=True),
    default=60.0,
    show_envvar=True,
    help="Seconds that the upstream may be silent for, and that connecting to it may take.",
)
@header_option(
    "the upstream, in place of the client's own", _BETWEEN_NEIGHBOURS, envvar="BLUEHOUR_PROXY_HEADER"
)
@certificate_options("the upstream", show_envvar=True)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_envvar=True,
    help="How each request is logged, on standard error.",
)
@click.option(
    "--control-token",
    metavar="TOKEN",
    show_envvar=True,
    help="What opens the console, from anywhere. Default: it is open to this machine alone.",
)
def proxy(**given: Any) -> None:
    """Pass requests on to a server, and judge both sides by the contract.

    Point a client at the proxy in place of the server. Requests and answers pass as they are; what is wrong
    with them is shown here, in the console, and summed up at the end. Where the server can't be reached or is
    silent for too long, the proxy answers 502 or 504, with the header Proxy-Status.

    Exit codes: 0 stopped by Ctrl-C, and nothing was wrong; 1 stopped, and a request or an answer broke the
    contract; 2 can't start (one line says why).
    """
    from bluehour.mock_server.server.listening import HostError
    from bluehour.openapi.document import SpecError

    from ..check.network import Network
    from .serving import Options, ProxyError, run

    network = Network(**{name: given.pop(name) for name in ("headers", "cacert", "insecure", "cert", "key")})
    try:
        everything_was_right = run(Options(**given, network=network), __version__)
    except (ProxyError, HostError, SpecError) as error:
        raise Problem(str(error)) from error
    raise SystemExit(0 if everything_was_right else 1)
