"""The header `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it, for clients that ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b

from ..core.idempotency import Key, KeyTaken, KeyUnderWay, UsedKey
from .call import Answer, Call, Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
"""The header of an answer that was given before."""

_LONGEST = 255
"""Characters of a key."""

_REMARK = f"the first answer to this {HEADER} once more; nothing was made or charged"


def once(
    call: Call, create: Callable[[Call, Key | None], Answer], first_answer: Callable[[Call, str], Answer]
) -> Answer:
    """Carry out a create, or answer as the first time where its key has made a project before.

    Refusals are not remembered: the key is free again.

    Args:
        call: what came.
        create: carries it out, and stores the key with what it makes.
        first_answer: gives the answer by which a project was created, by its id.

    Raises:
        Refusal: 400, it is no key; 409, its first request is under way; 422, it came with another request.
    """
    key = _key_of(call)
    if key is None:
        return create(call, None)
    try:
        with call.world.keys_under_way.alone(key):
            used = call.world.store.used_key(key, call.now)
            if used is None:
                try:
                    return create(call, key)
                except KeyTaken as taken:  # by another process on the same store
                    used = taken.used
            return _replayed(call, key, used, first_answer)
    except KeyUnderWay:
        message = f"{HEADER}: the first request with this key is still under way. Try again later"
        raise Refusal("conflict", message, doubt="--idempotency brings it") from None


def _replayed(call: Call, key: Key, used: UsedKey, first_answer: Callable[[Call, str], Answer]) -> Answer:
    if used.fingerprint != key.fingerprint:
        message = f"{HEADER}: this key came with another request before. Every request needs a key of its own"
        raise Refusal("unprocessable_entity", message)
    call.trace.remarks = [_REMARK]
    answer = first_answer(call, used.project_id)
    answer.headers = {**answer.headers, REPLAYED: "true"}
    answer.note = {"project": used.project_id, "replayed": True}
    return answer


def _key_of(call: Call) -> Key | None:
    """Return the key of a create that may have one; None where it has none, or nobody looks at keys."""
    if not (call.world.settings.idempotency or call.operation.node.get("x-idempotency")):
        return None
    given = call.request.headers.get(HEADER.lower())
    if given is None:
        return None
    key = given.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':  # a string as RFC 9651 writes it
        key = key[1:-1]
    if not 0 < len(key) <= _LONGEST:
        raise Refusal("invalid_request", f"{HEADER}: a key has 1 to {_LONGEST} characters")
    return Key(call.caller.id, key, _fingerprint(call))


def _fingerprint(call: Call) -> str:
    meant = json.dumps([call.operation.id, call.body], sort_keys=True)
    return blake2b(meant.encode(), digest_size=16).hexdigest()
