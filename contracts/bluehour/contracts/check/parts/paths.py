"""Methods and paths that the contract does not have, and ids that nobody was given. All of it is free."""

from __future__ import annotations

import re
from collections import defaultdict
from secrets import token_hex
from urllib.parse import quote

from bluehour.openapi.model import Operation
from bluehour.openapi.routes import Routes
from bluehour.openapi.terms import usual_price
from bluehour.openapi.writing import target_of

from ...exchange import ANYWHERE, Exchange, Headers, label_of
from ..accounts import Account
from ..budget import BudgetSpent
from ..checker import Check, answered, code_in, path_values
from ..findings import BUDGET
from ..jobs import Job, Jobs

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
_NOT_FORWARDED = ("TRACE", "BREW")
"""Methods that what stands before a server may refuse in its place, in a way of its own."""

_HEXADECIMAL = re.compile(r"[0-9a-fA-F-]+")

_ODD_IDS = (
    "0", "-1", "null", "undefined", "%", "..", "../..", "a/b", "a b", "'", "\"", "' OR '1'='1", "\0",
    "\u202e", "é", "東京", "😀", "{id}", "*", "?", "#", "nobody", "\r\nX-Injected: 1", "x" * 2000,
)  # fmt: skip


def try_methods(check: Check, jobs: Jobs) -> None:
    """Try every method that a path has not: 405, with those that it has in Allow.

    Where the path is a project's, it is that of one that there is.
    """
    project = jobs.all[0] if jobs.all else None
    by_path: dict[str, list[Operation]] = defaultdict(list)
    routes = Routes(check.contract.whole, [""])
    for operation in check.contract.operations:
        by_path[operation.path].append(operation)
    for operations in by_path.values():
        # A path may fit another one's parameter as well, as /pets/mine fits /pets/{id}.
        known = {*routes.allowed(_path_of(check, operations[0], "any"))}
        for method in _METHODS:
            if method not in known and (method != "HEAD" or "GET" not in known):
                _try_method(check, operations, method, known, project)
        _try_options(check, operations, known, project)
        if "GET" in known:
            _try_head(check, operations, project)
        if "DELETE" in known and "POST" not in known:
            _try_method(check, operations, "POST", known, project, ("X-HTTP-Method-Override", "DELETE"))


def _try_method(
    check: Check,
    operations: list[Operation],
    method: str,
    known: set[str],
    project: Job | None,
    override: tuple[str, str] | None = None,
) -> None:
    label = label_of(operations[0])
    # What is wrongly routed to a create could be charged for.
    price = max(usual_price(operation) for operation in operations)
    says = f"the method {method}, which the path has not" + (
        f", with {': '.join(override)}" if override else ""
    )
    headers = (override,) if override else ()
    try:
        exchange = _ask(check, operations[0], method, says, price, project, headers)
    except BudgetSpent as error:
        check.unjudged(f"{BUDGET}{error}", operations[0], "method.allowed")
        return
    status, allow = answered(exchange), _allowed(exchange)
    if status == 0 or status >= 500:
        return
    expected = check.status_of("method_not_allowed")
    if method in _NOT_FORWARDED and (400 <= status < 500 or status == 501):
        check.expect("method.allowed", exchange, True, "", operation=label)
        return
    if check.expect(
        "method.allowed",
        exchange,
        status == expected,
        f"The path has no {method}, and it was answered by {status} in place of {expected}",
        method,
        operation=label,
    ):
        is_right = known - {"HEAD"} <= allow <= known | {"HEAD", "OPTIONS"}
        check.expect(
            "method.allowed",
            exchange,
            is_right,
            f"Allow says {', '.join(sorted(allow)) or 'nothing'}; the path has {', '.join(sorted(known))}",
            "Allow",
            operation=label,
        )


def _try_options(check: Check, operations: list[Operation], known: set[str], project: Job | None) -> None:
    # It asks what could be asked, so a 2xx has created nothing.
    exchange = _ask(check, operations[0], "OPTIONS", "the method OPTIONS", 0, project)
    status, allow = answered(exchange), _allowed(exchange)
    if status == 0:
        return
    check.expect(
        "method.options",
        exchange,
        200 <= status < 300 or status == check.status_of("method_not_allowed"),
        f"OPTIONS was answered by {status}",
        operation=label_of(operations[0]),
    )
    if allow:
        check.expect(
            "method.options",
            exchange,
            known - {"HEAD"} <= allow,
            f"Allow says {', '.join(sorted(allow))}; the path has {', '.join(sorted(known))}",
            "Allow",
            operation=label_of(operations[0]),
        )


def _try_head(check: Check, operations: list[Operation], project: Job | None) -> None:
    """HEAD of nothing, and of a project that there is, is answered as GET is."""
    get = next((each for each in operations if each.method == "GET"), operations[0])
    _compare_head(check, get, f"bluehour-{token_hex(8)}", check.accounts.main)
    if project is not None and get in check.reads:
        _compare_head(check, get, project.project_id, project.account)


def _compare_head(check: Check, operation: Operation, project_id: str, account: Account) -> None:
    label = label_of(operation)
    head, get = (
        check.ask(method, _path_of(check, operation, project_id), account, purpose=f"{method} beside GET")
        for method in ("HEAD", "GET")
    )
    if answered(head) and answered(get):
        check.expect(
            "method.head",
            head,
            answered(head) in (answered(get), check.status_of("method_not_allowed")),
            f"HEAD was answered by {answered(head)}, GET by {answered(get)}",
            operation=label,
            related=(get,),
        )


def _ask(
    check: Check,
    operation: Operation,
    method: str,
    purpose: str,
    price: int,
    project: Job | None,
    headers: Headers = (),
) -> Exchange:
    path = _path_of(check, operation, project.project_id if project else "any")
    account = project.account if project else check.accounts.main
    return check.ask(method, path, account, price=price, headers=headers, purpose=purpose)


def _path_of(check: Check, operation: Operation, value: str) -> str:
    """The operation's path with a value for its parameters; with what is there, or legal, where they vary."""
    if operation.behaviour is not None:
        return _filled(operation, value)
    return target_of(operation, None, check.items.path_of(operation)).partition("?")[0]


def _filled(operation: Operation, value: str) -> str:
    """The operation's path with a value for its parameters, as it stands."""
    path = operation.path
    for name in path_values(operation, value):
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _allowed(exchange: Exchange) -> set[str]:
    allow = exchange.answer.header("Allow") if exchange.answer else None
    return {name.strip().upper() for name in (allow or "").split(",") if name.strip()}


def try_unknown(check: Check) -> None:
    """Ask for paths and projects that there are not: 404."""
    expected = check.status_of("not_found")
    for path in (*_strange(check), *_parents(check)):
        exchange = check.ask("GET", path, check.accounts.main, purpose=f"the path {path}, which there is not")
        if 0 < answered(exchange) < 500:
            message = f"There is no such path, and it was answered by {answered(exchange)}"
            check.expect(
                "path.unknown", exchange, answered(exchange) == expected, message, operation=ANYWHERE
            )
    for operation in (*check.reads, *check.deletes):
        for value in (f"c{token_hex(12)}", f"bluehour-{token_hex(4)}"):
            _try_id(check, operation, value, expected)


def _strange(check: Check) -> list[str]:
    """Paths that nobody has, where those of the contract begin."""
    roots = {operation.path.split("/")[1] for operation in check.contract.operations}
    routes = Routes(check.contract.whole, [""])
    paths = [f"/{root}/{token_hex(6)}{end}" for root in sorted(roots) for end in ("", "/x")]
    return [path for path in paths if not routes.allowed(path)]


def _parents(check: Check) -> list[str]:
    """Paths above those with parameters, where they are no paths themselves: nothing can be listed there."""
    tried, known = (
        {operation.path for operation in contract.operations}
        for contract in (check.contract, check.contract.whole)
    )
    above = {path.rpartition("/")[0] for path in tried if path.endswith("}")}
    return sorted(above - known)


def _try_id(check: Check, operation: Operation, value: str, expected: int) -> None:
    purpose = "an id that there is not"
    exchange = check.call(operation, check.accounts.main, path=path_values(operation, value), purpose=purpose)
    if 0 < answered(exchange) < 500:
        kept = answered(exchange) == expected and code_in(exchange) in ("not_found", None)
        message = f"There is no project {value}, and it was answered by {answered(exchange)}"
        check.expect("project.unknown", exchange, kept, message, "id")


def try_odd_ids(check: Check) -> None:
    """Ask for projects by odd ids: whatever is answered, nothing fails, and nothing is found."""
    for operation in (*check.reads, *check.deletes):
        for value in _ODD_IDS:
            shown = ascii(value if len(value) < 40 else f"{value[:20]}…")
            path = operation.path
            for name in path_values(operation, value):
                path = path.replace(f"{{{name}}}", quote(value, safe=""))
            exchange = check.ask(
                operation.method,
                path,
                check.accounts.main,
                operation=_plain(operation, value),
                purpose=f"the id {shown}",
            )
            status = answered(exchange)
            if 0 < status < 500:
                message = f"There is no project {shown}, and it was answered by {status}"
                check.expect(
                    "project.unknown", exchange, status >= 400, message, "id", operation=label_of(operation)
                )


def try_ids_alike(check: Check, jobs: Jobs) -> None:
    """Ask for projects by ids that are nearly another's: an id is good as a whole, and as it is."""
    for operation in check.reads:
        alike = (job for job in jobs.all if job.operation.project_kind == operation.project_kind)
        job = next(alike, None)
        if job is None:
            continue
        known = {each.project_id for each in jobs.all}
        near = [job.project_id[:-4], f"{job.project_id}abc", f"{job.project_id} ", f" {job.project_id}"]
        if not _HEXADECIMAL.fullmatch(job.project_id):  # whose letters many take in any case
            near.append(job.project_id.swapcase())
        for value in near:
            if value and value not in known:
                exchange = check.call(
                    operation, job.account, path=path_values(operation, value), purpose="nearly an id"
                )
                if 0 < answered(exchange) < 500:
                    message = (
                        f"{value!r} is nearly {job.project_id}, and was answered by {answered(exchange)}"
                    )
                    check.expect("project.unknown", exchange, answered(exchange) >= 400, message, "id")


def _plain(operation: Operation, value: str) -> Operation | None:
    """The operation, unless what is between the path and the server may take the id for another path."""
    return operation if value.isalnum() else None
