"""The journey that every request to the API takes, from what came to what is sent.

route -> operation -> account (401) -> is a scenario asked for? -> parameters and body (400) -> behaviour
-> answer, judged (500) -> reply
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import BinaryIO

from bluehour.openapi.messages import Request
from bluehour.openapi.model import Operation
from bluehour.openapi.reading import Read, read
from bluehour.openapi.routes import Match, Routes

from ..core.accounts import Account, TokenRefused
from ..core.assets.links import transfer_at
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .answers import judged, refused, reply_of
from .behaviours import behaviour_of
from .call import Answer, Behaviour, Call, Refusal, challenge
from .crossorigin import asked_before, shared_with
from .effects import Effect
from .examples import documented_example
from .feature import Feature
from .refusals import FAULTS, allow_header, answer_to, in_header, nowhere, server_response
from .reply import Reply
from .secrets import Secrets
from .trace import Trace
from .transfer import download, upload

LARGEST_BODY = 16 * 2**20
"""Bytes of a request body that are read; uploads, which are streamed to disk, have their plan's limit."""


class Journey:
    """Answers requests by the contract. May be used from many threads.

    Args:
        world: what is kept, and the contract.
        targets: tells which servers may be called for a request.
        secrets: learns the credentials that come.
        features: may force something on a request, the first of them first.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """

    def __init__(
        self,
        world: World,
        targets: Callable[[], TargetPolicy],
        secrets: Secrets,
        features: Sequence[Feature],
    ) -> None:
        contract = world.contract
        self._world = world
        self._contract = contract
        self._targets = targets
        self._secrets = secrets
        self._features = [each for each in features if type(each).effect_on is not Feature.effect_on]
        self._examples_prefix: str | None = contract.extension("x-examples-prefix")
        examples = [self._examples_prefix] if self._examples_prefix else []
        self._routes = Routes(contract, ["", *contract.base_paths, *examples])
        self._behaviours = {operation.id: behaviour_of(operation) for operation in contract.operations}
        if world.actions:
            from .resources.behaviours import behaviours_of  # here: Magic Hour's contract has none

            self._behaviours |= behaviours_of(world.actions.values())
        self._has_links = any(operation.behaviour for operation in contract.operations)

    def match(self, request: Request) -> Match | None:
        """Return the operation that a request calls; None where it calls none."""
        return self._routes.find(request.method, request.raw_path)

    def leads(self, request: Request) -> bool:
        """Tell whether a path without a match is the contract's all the same, or a link's."""
        return self._transfer(request.path) is not None or bool(self._routes.allowed(request.raw_path))

    def take(self, request: Request, match: Match | None, body: BinaryIO | None, trace: Trace) -> Reply:
        """Take one request on its journey; whatever happens, there is a reply.

        Args:
            request: what came; its body, where that is small.
            match: the operation that it calls.
            body: the body of any other.
            trace: where what happens is written down.
        """
        try:
            self._world.board.ensure_fresh()
            with self._world.gate:
                reply = self._taken(request, match, body, trace)
        except Exception as error:
            reply = self.refused(request, error, trace)
        if self._world.settings.cors and (origin := request.headers.get("origin")):
            reply.headers += shared_with(origin, request.headers, reply.headers)
        return reply

    def _taken(self, request: Request, match: Match | None, body: BinaryIO | None, trace: Trace) -> Reply:
        if match is not None:
            return self._serve(match, request, body, trace)
        transfer = self._transfer(request.path)
        if transfer is not None and request.method in transfer[1]:
            return self._transfer_file(transfer[0], request, body, trace)
        allowed = [*self._routes.allowed(request.raw_path), *(transfer[1] if transfer else ())]
        if allowed and request.method == "OPTIONS":
            return Reply(200, [("Allow", allow_header(allowed))])
        if self._world.settings.cors and (method := asked_before(request)):
            return Reply(200, [("Allow", allow_header([method]))])  # or its page would never see the 404
        raise nowhere(allowed, self._contract)

    def _serve(self, match: Match, request: Request, body: BinaryIO | None, trace: Trace) -> Reply:
        """Take a request from its operation to an answer that the contract allows."""
        operation, contract = match.operation, self._contract
        trace.operation, trace.path_values = operation, match.values
        effect: Effect | None = None
        forced: Answer | None = None
        try:
            is_whole = _read_whole(request, body)
            found = read(operation, request, match.values)
            account = self._account(operation, found, trace)
            if not is_whole:
                raise _too_large()
            effect = self._effect_on(request, operation.id, trace)
            forced = effect.answer_instead(contract, operation) if effect else None
            if effect and forced and not effect.carry_out:
                return effect.spoiled(reply_of(forced))
            faults = self._faults(found, operation)
            answer = self._behaviour(match)(self._call(match, request, found, account, effect, trace))
            if faults:
                answer.headers = {**answer.headers, FAULTS: in_header(faults)}
        except Refusal as refusal:
            answer = answer_to(refusal, contract, operation)
            declared = operation.response(answer.status) or server_response(answer.status, contract)
        else:
            declared = operation.response(answer.status)
        trace.note = answer.note
        trace.is_lost = effect is not None and effect.loses_answer
        if forced is None:
            forced = judged(answer, declared, contract, request)
            trace.note = forced.note
        # Else it was carried out all the same: what happened is the operation's, what is said is not.
        return effect.spoiled(reply_of(forced)) if effect else reply_of(forced)

    def _faults(self, found: Read, operation: Operation) -> str:
        """Return what is wrong with a request that is carried out all the same; nothing of a right one.

        Raises:
            Refusal: it is refused, as it is where nobody has wished otherwise.
        """
        validate = self._world.settings.validate
        if (faults := found.message) and (validate == "on" or operation.behaviour is not None):
            is_of_type = faults.startswith("Invalid Content-") and "415" in operation.responses
            raise Refusal("unsupported_media_type" if is_of_type else "invalid_request", faults)
        return faults if validate == "warn" else ""

    def _account(self, operation: Operation, found: Read, trace: Trace) -> Account | None:
        """Return who calls; None where the operation lets anybody in, and nobody has said who it is.

        Raises:
            Refusal: 401.
        """
        trace.token = found.credential
        if not found.is_authorized:
            raise Refusal("unauthorized", headers=challenge(operation))
        if found.credential is None:
            return None
        self._secrets.learn(found.credential)
        try:
            account = self._world.open_account(found.credential)
        except TokenRefused:
            raise Refusal("unauthorized", headers=challenge(operation)) from None
        trace.account_id = account.id
        return account

    def _effect_on(self, request: Request, called: str, trace: Trace) -> Effect | None:
        for feature in self._features:
            effect = feature.effect_on(request, called, trace.token)
            if effect is not None:
                trace.forced = effect.cause
                return effect
        return None

    def _behaviour(self, match: Match) -> Behaviour:
        if match.prefix and match.prefix == self._examples_prefix:
            return documented_example
        return self._behaviours[match.operation.id]

    def _call(
        self,
        match: Match,
        request: Request,
        found: Read,
        account: Account | None,
        effect: Effect | None,
        trace: Trace,
    ) -> Call:
        return Call(
            world=self._world,
            targets=self._targets(),
            operation=match.operation,
            account=account,
            path=match.values,
            parameters=found.parameters,
            body=found.body,
            request=request,
            now=self._world.clock.now(),
            job=effect.job if effect else None,
            trace=trace,
        )

    # What is no operation.

    def _transfer(self, path: str) -> tuple[str, tuple[str, ...]] | None:
        return transfer_at(path) if self._has_links else None

    def _transfer_file(self, transfer: str, request: Request, body: BinaryIO | None, trace: Trace) -> Reply:
        """Take a transfer on its journey, which has a step for scenarios as an operation's has."""
        trace.transfer = transfer
        effect = self._effect_on(request, transfer, trace)
        forced = effect.answer_instead(self._contract, None) if effect else None
        if effect and forced and not effect.carry_out:
            return effect.spoiled(reply_of(forced))
        try:
            if transfer == "upload":
                reply = upload(self._world, request, body or io.BytesIO(request.body), trace)
            else:
                reply = download(self._world, request, trace)
        except Refusal as refusal:
            reply = self.refused(request, refusal, trace)
        if forced:
            reply = reply_of(forced)
        return effect.spoiled(reply) if effect else reply

    def refused(self, request: Request, error: Exception, trace: Trace) -> Reply:
        """Answer for what no operation answers: no such path or method, a machine's lack, a bug of ours."""
        self._secrets.learn_from(request.headers)
        answer = refused(request, error, self._contract)
        trace.note = answer.note
        return reply_of(answer)


def _read_whole(request: Request, body: BinaryIO | None) -> bool:
    """Have a request its body; tell whether that is all of it, as one that is too large is not read."""
    if body is None:
        return len(request.body) <= LARGEST_BODY
    content = body.read(LARGEST_BODY + 1)
    is_whole = len(content) <= LARGEST_BODY
    request.body = content if is_whole else b""
    return is_whole


def _too_large() -> Refusal:
    limit = f"{LARGEST_BODY // 2**20} MiB"
    return Refusal("payload_too_large", f"Request body is too large: at most {limit} are accepted")
