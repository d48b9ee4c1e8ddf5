"""schemathesis, all phases, finds nothing: in this process over WSGI, and as its own command over HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis.config import SchemathesisConfig

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.profiles import examples

from .server.test_serving import serving

REPOSITORY = Path(__file__).parents[2]
TOKEN = "mhk_test_pro_1000000"

config = SchemathesisConfig.from_path(REPOSITORY / "schemathesis.toml")
config.projects.default.update(headers={"Authorization": f"Bearer {TOKEN}"})
app = create_app(Mock(settings=Settings(time_scale=0)))
schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)


@schema.parametrize()
@examples(20, suppress_health_check=list(HealthCheck))
def test_no_generated_request_breaks_the_contract(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()


# Creates, followed by the links to their projects.
TestJourneys = schema.as_state_machine().TestCase
TestJourneys.settings = examples(15, stateful_step_count=8, suppress_health_check=list(HealthCheck))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
def test_its_own_command_finds_nothing_in_the_served_mock(seed: int, tmp_path: Path) -> None:
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"),
        "--config-file",
        REPOSITORY / "schemathesis.toml",
    ]
    with serving("--time-scale", "0") as served:
        location = f"{served.url}/openapi.json"
        header = f"Authorization: Bearer {TOKEN}"
        done = subprocess.run(
            [
                *command,
                "run",
                location,
                "-H",
                header,
                "--seed",
                str(seed),
                "--phases",
                "examples,coverage,fuzzing,stateful",
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout[-4000:]
