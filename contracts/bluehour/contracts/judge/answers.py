"""Each answer alone: its status, headers and body against what the contract declares."""

from __future__ import annotations

import re
from urllib.parse import unquote

from bluehour.openapi.contract import Contract
from bluehour.openapi.messages import Headers, Response
from bluehour.openapi.model import Operation
from bluehour.openapi.reading import read
from bluehour.openapi.responses import Kind, judge
from bluehour.openapi.structure import METHODS

from ..exchange import Answer, Exchange, Request
from .rulings import Rulings
from .words import in_yaml


class Answers:
    """Judges answers one by one.

    Args:
        contract: what they have to keep.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def judge(self, exchange: Exchange, rulings: Rulings) -> None:
        """Say what of an answer is as the contract declares it, and what is not."""
        answer = exchange.answer
        arrives = rulings.expect("answer.arrives", answer is not None, f"No answer came: {exchange.failure}")
        if not arrives or answer is None:
            return
        # 501 is for a method that nobody knows, and then it is no failure (RFC 9110, section 15.6.2).
        unknown = exchange.request.method.lower() not in METHODS and answer.status == 501
        sound = answer.status < 500 or unknown
        rulings.expect(
            "answer.server-error",
            sound,
            f"The server failed: it answered {answer.status}",
            f"{answer.status}",
        )
        if sound and not exchange.transfer and exchange.request.method not in ("HEAD", "OPTIONS"):
            self._judge_declared(exchange, answer, rulings)

    def _goes_without_saying(self, exchange: Exchange, status: int) -> bool:
        """Tell whether a contract that does not say what its server refuses need not declare a status.

        It need not where the request shows why it was refused: few contracts declare all of that.
        """
        operation = exchange.operation
        if operation is None or self._contract.server_responses:
            return False
        if status in _OF_WHAT_IS_NAMED:
            return "{" in operation.path or operation.body is not None
        path = _path_values(operation, exchange.request.message.raw_path)
        found = read(operation, exchange.request.message, path)
        if status in _OF_WHO_CALLS:
            return not found.is_authorized or bool(operation.security)  # whose key is right, who knows
        return status == _TOO_FAST or (status in _OF_WHAT_IS_SENT and bool(found.faults))

    def _judge_declared(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        operation = exchange.operation
        if operation is None and (answer.status < 400 or _may_be_a_gateways(exchange.request)):
            return  # nothing is declared; whoever asked knows what to expect
        response = Response(answer.status, Headers(answer.headers), answer.body)
        rules = _rules(answer.status)
        for fault in judge(response, operation, self._contract):
            if fault.kind == "status" and self._goes_without_saying(exchange, answer.status):
                continue
            words = in_yaml(fault.declared) if fault.declared else ""
            rulings.violate(rules[fault.kind], fault.message, fault.field, words)
        broken = {ruling.rule.id for ruling in rulings.all if ruling.violation}
        for rule_id in rules.values():
            if rule_id not in broken:
                rulings.keep(rule_id)


_OF_WHO_CALLS = frozenset({401, 403})
_OF_WHAT_IS_NAMED = frozenset({404, 409, 410})
_OF_WHAT_IS_SENT = frozenset({400, 413, 415, 422})
_TOO_FAST = 429


def _path_values(operation: Operation, path: str) -> dict[str, str]:
    """Return the values of a path's parameters, whatever stands before the path."""
    names = [each.name for each in operation.parameters if each.location == "path"]
    template = re.escape(operation.path)
    for name in names:
        template = template.replace(re.escape(f"{{{name}}}"), "([^/]*)")
    found = re.search(f"{template}$", path)
    in_order = sorted(names, key=lambda name: operation.path.find(f"{{{name}}}"))
    return dict(zip(in_order, map(unquote, found.groups()), strict=False)) if found else {}


def _rules(status: int) -> dict[Kind, str]:
    return {
        "status": "answer.status",
        "content-type": "answer.content-type",
        "headers": "answer.headers",
        "body": "answer.envelope" if status >= 400 else "answer.schema",
    }


def _may_be_a_gateways(request: Request) -> bool:
    """Whether what stands before a server may well have answered in its place: for odd paths and methods."""
    method = request.method.lower()
    return "%" in request.url.partition("?")[0] or method not in METHODS or method == "trace"
