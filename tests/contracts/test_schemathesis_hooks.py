"""`schemathesis run` with Bluehour's rules as checks: a right server passes, a wrong one breaks its rule."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..deviants.catalogue import DEVIANTS
from ..deviants.serving import served

REPOSITORY = Path(__file__).parents[2]
TOKEN = "mhk_test_pro_1000000_hooks"


def run_against(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("schemathesis"))]
    command += ["--config-file", str(REPOSITORY / "schemathesis.toml")]
    return subprocess.run(
        [
            *command,
            "run",
            f"{url}/openapi.json",
            "-H",
            f"Authorization: Bearer {TOKEN}",
            "--seed",
            "1",
            *options,
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "bluehour.contracts.schemathesis", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_a_right_server_keeps_every_rule() -> None:
    with served(None) as server:
        done = run_against(server.url, "--phases", "examples,fuzzing,stateful", "--max-examples", "3")
        assert done.returncode == 0, done.stdout[-4000:]
        assert server.booked() > 0


WRONG = {
    "photo-costs-five": ("credits.price: It charges 5 credits; its price is 10", "x-credits: 10"),
    "every-second-id-again": ("project.id: The id ", "was given to another create before"),
    "create-is-201": ("answer.status: The status 201 is not declared: 200, ", "responses: ["),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_server_is_found_by_the_rule_that_it_breaks(name: str) -> None:
    (deviant,) = (each for each in DEVIANTS if each.name == name)
    with served(deviant) as server:
        done = run_against(server.url, "--phases", "examples")
    assert done.returncode == 1, done.stdout[-4000:]
    for words in WRONG[name]:
        assert words in done.stdout
    rule_id = WRONG[name][0].partition(":")[0]
    assert f"`bluehour_{rule_id.replace('.', '_')}`" in done.stdout


def test_a_rule_can_be_left_out_by_its_name() -> None:
    (deviant,) = (each for each in DEVIANTS if each.name == "photo-costs-five")
    with served(deviant) as server:
        left_out = ("--exclude-checks", "bluehour_credits_price")
        done = run_against(server.url, "--phases", "examples", *left_out)
    assert done.returncode == 0, done.stdout[-4000:]
