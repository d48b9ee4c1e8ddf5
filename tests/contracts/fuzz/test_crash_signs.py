"""What a command's output shows of a crash."""

from __future__ import annotations

import pytest

from bluehour.contracts.fuzz.clients.crash_signs import CrashSigns

TRACE = """Traceback (most recent call last):
  File "client.py", line 9, in <module>
    {line}
{error}
"""
NODE = """file:///client.mjs:3
  throw new Error("no");
        ^

{error}
    at edit (file:///client.mjs:3:9)
    at ModuleJob.run (node:internal/modules/esm/module_job:222:25) {{
{more}
}}

Node.js v20.20.2
"""


def python(error: str, line: str = "raise error") -> str:
    return TRACE.format(error=error, line=line)


def node(error: str, more: str = "") -> str:
    return NODE.format(error=error, more=more)


@pytest.mark.parametrize(
    ("said", "crashed"),
    [
        (python("KeyError: 'id'", "body['id']"), True),
        (python("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"), True),
        (python("ValueError: invalid literal for int()", "int(text)\n    ^^^^^^^^^"), True),
        (python("AssertionError", "assert answer.ok"), True),
        (python("ValueError: no id in the answer", "raise ValueError(text)\n    ^^^^^^"), False),
        (python("Exception: 402"), False),
        (python("requests.exceptions.HTTPError: 402 Client Error"), False),
        (python("ConnectionRefusedError: [Errno 111] Connection refused"), False),
        (python("urllib.error.HTTPError: HTTP Error 402: Payment Required"), False),
        (python("KeyError: 'id'") + "\nDuring handling of …\n\n" + python("client.Refused: no id"), False),
        (python("client.Refused: no id") + "\nDuring handling of …\n\n" + python("KeyError: 'id'"), True),
        (node("Error: no\nand why"), False),
        (node("ApiError: 402"), False),
        (node("TypeError: Cannot read properties of undefined (reading 'id')"), True),
        (node("SyntaxError: Unexpected token '<'"), True),
        (node("TypeError: fetch failed", "  [cause]: Error: … {\n    code: 'ECONNREFUSED'"), False),
        ("panic: runtime error: index out of range\n", True),
        ("it was at 12:30:45", False),
        ("\n" * 60_000, False),
        ("Error\n" * 60_000, False),
    ],
)
def test_a_stack_trace_is_a_crash_unless_somebody_meant_the_error(said: str, crashed: bool) -> None:
    assert CrashSigns().show_in(1, said) is crashed


def test_a_pattern_of_ones_own_is_all_that_counts() -> None:
    assert CrashSigns("fell over").show_in(1, "it fell over")
    assert not CrashSigns("fell over").show_in(1, python("KeyError: 'id'"))
