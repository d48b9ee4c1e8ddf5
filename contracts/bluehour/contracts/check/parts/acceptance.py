"""What must be accepted: every legal edge of every field.

An account with no credits tries them one by one for nothing: what is legal is answered by 402, what is taken
for illegal by 400. Then, and where there is no such account, few creates are paid for that have many edges
each; one that is refused is taken apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from bluehour.openapi.model import Operation

from ...bodies import Edge, legal, packed
from ...bodies.legal import Pack, dumped
from ...exchange import Exchange, label_of
from ...rules import RULES
from ..accounts import Account
from ..budget import BudgetSpent
from ..checker import Check, answered, code_in, is_success
from ..jobs import Jobs
from . import money, uploads
from .bodies import assets_in, example_asset, legal_body, naming, uploaded, with_upload
from .examples import create_example
from .projects import repeat_failed

_ELSEWHERE = ("accept.extensions", "accept.random", "accept.headers", "accept.asset-url")

ACCEPTED = tuple(each.id for each in RULES if each.group == "accept" and each.id not in _ELSEWHERE)

_PACKS_BESIDE_SINGLES = 1
_PACKS_ALONE = 3
"""Creates of an operation that are paid for where every edge was tried by itself, and where none was."""

_PACKS_FIRST = 2
"""Of these, those that come before the further ones of any operation: what failed in its job is paid for once
more, as long as something is left for it."""

_PACKS_FETCHED = 3
"""Creates with edges of which the pictures are looked at, where an operation is cheap; of a dear one they may
be large, and one is enough."""

_CREDITS_FOR_PACKS = 20
"""Credits for which more of an operation's creates are paid for, where it is so cheap."""


def try_examples(check: Check, jobs: Jobs) -> None:
    """Create a project by each operation's published example, and watch it to its end."""
    creates = check.creates
    prices = [check.price_of(each, each.json_body.example if each.json_body else None) for each in creates]
    for place, operation in enumerate(creates):
        with check.within_budget(operation, "accept.examples", "upload.usable"):
            if check.accounts.made_to_order and prices[place]:
                # A job that fails comes first where that leaves enough for all examples.
                may_fail = check.sender.budget.left >= prices[place] + sum(prices[place:])
                made = money.spend_on_example(check, jobs, operation, check.paid[0], may_fail=may_fail)
                _judge_base(check, made)
                if is_success(made):
                    continue
            made, job = create_example(check, jobs, operation, check.accounts.main)
            _judge_base(check, made)
            if job is not None:
                jobs.watch(job)


def try_edges(check: Check, jobs: Jobs) -> None:
    """Send every legal edge of every operation that takes a body."""
    further: list[Callable[[], None]] = []
    for operation in (*check.bodied, *check.creates):
        base = legal_body(check, operation, check.accounts.main)
        edges = _edges(check, operation, base)
        rules = sorted({edge.rule for edge in edges})
        if operation not in check.paid:
            for edge in edges:
                _try_free(check, operation, edge)
        elif not any(job.operation is operation for job in jobs.all):
            for rule_id in rules:
                check.unjudged("not even the published example was accepted", operation, rule_id)
        else:
            singly = _try_singly(check, operation, edges)
            with check.within_budget(operation, *rules):
                creates = _packed(check, jobs, operation, base, edges, singly)
                if not singly:
                    creates.append(partial(_try_whole, check, jobs, operation, edges))
                further.append(partial(_pay_for, check, operation, rules, creates[_PACKS_FIRST:]))
                for create in creates[:_PACKS_FIRST]:
                    create()
    jobs.watch_all(job for job in jobs.all if job.edges)
    for operation in check.creates:
        with check.within_budget(operation, "project.complete"):
            repeat_failed(check, jobs, operation)
    for pay in further:
        pay()


def _pay_for(
    check: Check, operation: Operation, rules: Sequence[str], creates: Sequence[Callable[[], object]]
) -> None:
    with check.within_budget(operation, *rules):
        for create in creates:
            create()


def _edges(check: Check, operation: Operation, base: Any) -> list[Edge]:
    media = operation.json_body
    found = legal(media, base, check.random) if media else ()
    return [
        edge for edge in found if check.findings.wants((edge.rule,)) and check.offered(operation, edge.body)
    ]


def _try_free(check: Check, operation: Operation, edge: Edge) -> None:
    exchange = _send(check, operation, check.accounts.main, edge)
    if is_success(exchange) or check.takes_for_illegal(operation, answered(exchange)):
        _judge(check, exchange, [edge], is_success(exchange))


def _judge_base(check: Check, exchange: Exchange) -> None:
    status = answered(exchange)
    if status in (check.status_of("insufficient_credits"), check.status_of("unauthorized")):
        check.unjudged(f"the account's requests are refused by {status}", exchange.label, "accept.examples")
        check.notes.append(f"{exchange.label} refuses the account itself: {status} {code_in(exchange) or ''}")
    elif status:
        message = f"The published example, with an uploaded picture, was answered by {_words(exchange)}"
        unusable = status == check.status_of("unprocessable_entity")
        check.expect("upload.usable", exchange, not unusable, message, "assets")
        if not unusable:
            check.expect("accept.examples", exchange, is_success(exchange), message, "body")


def _try_singly(check: Check, operation: Operation, edges: Sequence[Edge]) -> bool:
    """Try each edge with an account that can't pay; return whether that could be done."""
    empty = check.accounts.empty
    if empty is None or check.findings.is_broken("credits.empty", label_of(operation)):
        return False
    for edge in edges:
        try:
            exchange = _send(check, operation, empty, edge)
        except BudgetSpent:
            return False
        if is_success(exchange):
            message = "An account with no credits was served"
            check.expect("credits.empty", exchange, False, message)
            return False
        _judge(check, exchange, [edge], _is_refused_for_money(check, exchange))
    return True


def _is_refused_for_money(check: Check, exchange: Exchange) -> bool:
    return answered(exchange) == check.status_of("insufficient_credits")


def _packed(
    check: Check, jobs: Jobs, operation: Operation, base: Any, edges: Sequence[Edge], singly: bool
) -> list[Callable[[], object]]:
    """Return what creates the projects with many edges each that are paid for, one after the other."""
    media = operation.json_body
    if media is None:
        return []
    creates: list[Callable[[], object]] = []
    packs = _packs(check, operation, base, edges)
    types = [edge.content_type for edge in edges if edge.content_type]
    cheap = _CREDITS_FOR_PACKS // max(check.price_of(operation, base), 1)
    most = max(_PACKS_BESIDE_SINGLES, cheap) if singly else _PACKS_ALONE
    # Where a failing job was not paid for yet, the last of them is one: what is given back, costs nothing.
    is_dear = operation is not check.paid[0] and _names_pictures(operation)
    last_fails = is_dear and not singly and not check.accounts.made_to_order
    for index, pack in enumerate(packs[:most]):
        content_type = types[index] if index < len(types) else media.name
        price = check.price_of(operation, pack.body)
        is_fetched = index < max(_PACKS_BESIDE_SINGLES, min(cheap, _PACKS_FETCHED))
        broken = uploads.broken_file(check, operation) if last_fails and index == most - 1 else None
        how = _Sent(content_type, is_fetched, wide=index % 2 == 0, broken=broken)
        create = partial(_try_pack, check, jobs, operation, pack, how, base)
        if not (check.accounts.made_to_order and price):
            creates.append(partial(create, check.accounts.main))
        elif index < _PACKS_BESIDE_SINGLES:
            creates.append(
                partial(money.spend_with_change, check, jobs, operation, check.paid[0], price, create)
            )
        else:
            creates.append(partial(_create_for, check, price, create))
    return creates


def _create_for(check: Check, price: int, create: Callable[[Account], Exchange]) -> None:
    create(check.accounts.with_credits(price, f"with {price} credits, the price of some edges"))


def _try_whole(check: Check, jobs: Jobs, operation: Operation, edges: Sequence[Edge]) -> None:
    """Send the edges that are of the whole body, and so in no pack."""
    for edge in edges:
        if not edge.path and edge.field == "body" and edge.rule != "accept.examples":
            exchange = _send(check, operation, check.accounts.main, edge)
            _judge(check, exchange, [edge], is_success(exchange))
            jobs.accept(exchange, check.accounts.main, is_fetched=True)  # the defaults of a size show in it


def _packs(check: Check, operation: Operation, base: Any, edges: Sequence[Edge]) -> list[Pack]:
    """Return bodies with many edges each: what is offered, and what costs no more than the example does."""
    media = operation.json_body
    if media is None:
        return []
    most = check.price_of(operation, base)

    def accepts(body: Any) -> bool:
        return (
            media.schema.accepts(body)
            and check.offered(operation, body)
            and check.price_of(operation, body) <= most
        )

    return packed(edges, base, media.schema, accepts)


class _Sent(NamedTuple):
    """How a body with many edges is sent.

    Attributes:
        content_type: what it is said to be.
        is_fetched: whether its picture is looked at.
        wide: whether that is of the picture on a wide ground, unlike the one before.
        broken: the file_path of what is no picture, where the job is to fail.
    """

    content_type: str
    is_fetched: bool
    wide: bool
    broken: str | None


def _try_pack(
    check: Check,
    jobs: Jobs,
    operation: Operation,
    pack: Pack,
    how: _Sent,
    base: Any,
    account: Account,
) -> Exchange:
    body = with_upload(check, operation, account, pack.body, wide=how.wide)
    if how.broken:
        body = naming(operation, body, how.broken)
    exchange = check.call(
        operation,
        account,
        body,
        content_type=how.content_type,
        purpose=f"{len(pack.edges)} legal edges at once",
    )
    job = jobs.accept(exchange, account, is_fetched=how.is_fetched)
    if how.broken:
        uploads.expect_broken(check, jobs, exchange, job)
        if job is None and answered(exchange):  # whether for the file or for an edge nobody can tell
            return _try_pack(check, jobs, operation, pack, how._replace(broken=None), base, account)
    elif job is not None:
        job.edges = tuple(f"{edge.field}: {edge.says}" for edge in pack.edges)
    if job is not None or is_success(exchange):
        _judge(check, exchange, pack.edges, True)
    elif _is_refused_for_money(check, exchange) or answered(exchange) == check.status_of("unauthorized"):
        check.notes.append(f"{operation.path} refuses the account: {_words(exchange)}")
    elif answered(exchange):
        _take_apart(check, jobs, operation, pack.edges, base, exchange)
    return exchange


def _take_apart(
    check: Check, jobs: Jobs, operation: Operation, edges: Sequence[Edge], base: Any, refused: Exchange
) -> None:
    """Find out which edges a refusal is about: those that its message names first, then half by half."""
    message = str(refused.answer.field("message") or "") if refused.answer else ""
    named = [edge for edge in edges if edge.field.rpartition(".")[2] in message]
    for edge in named:
        exchange = _send(check, operation, check.accounts.main, edge)
        _judge(check, exchange, [edge], is_success(exchange))
        jobs.accept(exchange, check.accounts.main)
    if any(check.findings.is_broken(edge.rule, label_of(operation)) for edge in named):
        return
    others = [edge for edge in edges if edge not in named]
    _halve(check, jobs, operation, others, base, refused)


def _halve(
    check: Check, jobs: Jobs, operation: Operation, edges: Sequence[Edge], base: Any, refused: Exchange
) -> None:
    if len(edges) <= 1:
        _judge(check, refused, edges, False)
        return
    middle = len(edges) // 2
    for half in (edges[:middle], edges[middle:]):
        packs = _packs(check, operation, base, half)
        if not packs:
            continue
        pack = packs[0]
        exchange = check.call(
            operation,
            check.accounts.main,
            content=pack.content,
            purpose=f"{len(half)} of the legal edges that were refused together",
        )
        jobs.accept(exchange, check.accounts.main)
        if is_success(exchange):
            _judge(check, exchange, half, True)
        elif answered(exchange):
            _halve(check, jobs, operation, half, base, exchange)


def try_assets(check: Check, jobs: Jobs) -> None:
    """Name pictures in the other ways there are: by their URL, and by the published example's path."""
    pictured = [each for each in check.creates if _names_pictures(each)]
    cheapest = next((each for each in check.paid if each in pictured), None)
    if cheapest is None:
        return
    account = check.accounts.empty or check.accounts.main
    shown = next(
        (
            job
            for job in jobs.all
            if job.operation.project_kind == "image" and job.link is not None and not job.deleted
        ),
        None,
    )
    if shown is not None:
        jobs.look_at(shown, "for a fresh link")
    url = shown.link if shown is not None else None
    if url is None:
        check.unjudged("there is no link to a picture", cheapest, "accept.asset-url")
    else:
        with check.within_budget(cheapest, "accept.asset-url"):
            _try_asset(check, jobs, cheapest, account, url, "accept.asset-url")
    if example_asset(check) and check.accounts.made_to_order:
        for operation in check.creates:
            with check.within_budget(operation, "accept.examples"):
                if assets_in(operation, legal_body(check, operation, account)):
                    asset = partial(example_asset, check)
                    _try_asset(check, jobs, operation, account, asset, "accept.examples")


def _names_pictures(operation: Operation) -> bool:
    """Tell whether all assets that an operation names are pictures."""
    kinds = [kind for _, kind in operation.annotated("x-asset-type")]
    return bool(kinds) and all(kind == "image" for kind in kinds)


def _try_asset(
    check: Check,
    jobs: Jobs,
    operation: Operation,
    account: Account,
    asset: Callable[[str], str] | str,
    rule_id: str,
) -> None:
    body = naming(operation, legal_body(check, operation, account), asset)
    name = asset if isinstance(asset, str) else asset("image")
    exchange = check.call(operation, account, body, purpose=f"the asset {name.partition('?')[0]}")
    jobs.accept(exchange, account)
    if answered(exchange):
        kept = is_success(exchange) or _is_refused_for_money(check, exchange)
        message = f"The asset {name} was answered by {_words(exchange)}"
        check.expect(rule_id, exchange, kept, message, "assets")


def _send(check: Check, operation: Operation, account: Account, edge: Edge) -> Exchange:
    content = edge.content
    if operation.annotated("x-asset-type") and not edge.written:
        content = dumped(with_upload(check, operation, account, edge.body))
    elif edge.written:
        # The picture is the main account's own in what is written already; here it has to be this one's.
        content = edge.written
        for kind in {kind for _, kind in assets_in(operation, edge.body)}:
            mine, theirs = (uploaded(check, each, kind).encode() for each in (check.accounts.main, account))
            content = content.replace(mine, theirs)
    media = operation.json_body
    return check.call(
        operation,
        account,
        content=content,
        content_type=edge.content_type or (media.name if media else None),
        purpose=f"{edge.field}: {edge.says}",
    )


def _judge(check: Check, exchange: Exchange, edges: Sequence[Edge], accepted: bool) -> None:
    """Say of edges whether they were accepted; of silence, and of what the account can't have, nothing."""
    if not answered(exchange):
        return
    if not accepted and answered(exchange) == check.status_of("insufficient_credits"):
        for edge in edges:
            check.unjudged(
                f"the account's requests are refused: {_words(exchange)}", exchange.label, edge.rule
            )
        return
    for edge in edges:
        message = f"{edge.field}: {edge.says}; it is legal, and was answered by {_words(exchange)}"
        words = "" if accepted else edge.words
        check.expect(edge.rule, exchange, accepted, message, edge.field, words=words)


def _words(exchange: Exchange) -> str:
    message = str(exchange.answer.field("message") or "") if exchange.answer else ""
    return f"{answered(exchange)}" + (f" {message[:160]!r}" if message else "")
