"""Magic Hour's projects as the stage has them: made as a mock makes them, and told by the same facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import orjson

from bluehour.mock_server.api.representation import Facts
from bluehour.mock_server.core.making import measured, name_for
from bluehour.mock_server.core.pictures import Clip
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.sources import output_of
from bluehour.openapi import terms
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import Output

from ...statuses import OVER
from ..script import AS_ASKED, Script

_SIMULATED = "png"
"""The format of pictures where nothing asks for one."""

_MADE_OF_WHAT_WAS_ASKED = 0.5
"""So much of a clip is made where a script has it shorter."""


def not_offered(contract: Contract, operation: Operation, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a request that is legal by its schema no server takes."""
    plan = _plan_of(contract)
    request = terms.meant(operation, body, plan)
    for objection in terms.objections(operation, request, plan, contract.extension("x-plans")):
        yield objection.message


def bought(
    contract: Contract,
    operation: Operation,
    body: Mapping[str, Any],
    script: Script,
    project_id: str,
    at: float,
) -> Project:
    """Return the project that a legal request for an operation makes, with its price."""
    plan = _plan_of(contract)
    request = terms.meant(operation, body, plan)
    project = Project(
        id=project_id,
        account_id="",
        operation_id=operation.id,
        plan=plan,
        name=name_for(operation, body, at),
        credits=terms.price(operation, request, plan) or 0,
        request=orjson.dumps(body),
        created_at=at,
        rendering_at=math.inf,
        finished_at=math.inf,
    )
    seconds = terms.output(operation, request, plan).seconds if script.shorter else None
    clips = [Clip(seconds=seconds * _MADE_OF_WHAT_WAS_ASKED)] if seconds else []
    longest_edge = contract.extension("x-plans")[plan]["longest-edge"]
    return measured(project, operation, request, clips, longest_edge)


class Seen(Facts):
    """A project as a client sees it: how far it is, and how many files it has, is the script's affair.

    Args:
        contract, project, at: as of `Facts`; the project as it was made.
        state: its status.
        script: says how it ends.
        link_to: returns a link to a file, by the file's name and its number from 0.
    """

    def __init__(
        self,
        contract: Contract,
        project: Project,
        at: float,
        state: str,
        script: Script,
        link_to: Callable[[str, int], dict[str, str]],
    ) -> None:
        super().__init__(contract, _at_end(project, at, state, script) if state in OVER else project, at)
        self._state = state
        self._script = script
        self._link_to = link_to

    @cached_property
    def status(self) -> str:
        """See `Facts`."""
        return self._state

    @cached_property
    def output(self) -> Output:
        """See `Facts`."""
        asked = output_of(self.contract, self.project)
        count = self._script.pictures
        return asked if count == AS_ASKED else replace(asked, count=count)

    @property
    def names(self) -> list[str]:
        """What its files are called, complete or not."""
        names = self.output.names(_SIMULATED)[: self.output.count]
        return names[:1] * len(names) if self._script.same_name else names

    def make_links(self) -> Iterator[tuple[str, dict[str, str]]]:
        """See `Facts`."""
        for number, name in enumerate(self.names):
            yield name, self._link_to(name, number)


def _at_end(project: Project, at: float, state: str, script: Script) -> Project:
    return replace(
        project,
        rendering_at=at,
        finished_at=at,
        outcome=script.job_error if state == "error" else state,
        deleted_at=at if script.deleted else None,
    )


def _plan_of(contract: Contract) -> str:
    """The plan of every client's account: the highest, so that nothing is refused for the plan."""
    return str([*contract.extension("x-plans")][-1])
