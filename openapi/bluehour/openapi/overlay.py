"""OpenAPI Overlay 1.0: changes to a document that one does not own, each at the places that a JSONPath finds.

See https://spec.openapis.org/overlay/v1.0.0.html
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from .errors import BluehourError


class OverlayError(BluehourError):
    """The file is no overlay; the message says why, in half a line."""


def overlaid(document: dict[str, Any], overlay: Any) -> Iterator[str]:
    """Change a document as an overlay says, action by action.

    Yields:
        The target of each action that found nothing to change.

    Raises:
        OverlayError: it is no overlay.
    """
    version = overlay.get("overlay") if isinstance(overlay, dict) else None
    if not isinstance(version, str) or not version.startswith("1."):
        raise OverlayError(f"expected Overlay 1.0 in the field 'overlay', found {version!r}")
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise OverlayError("expected a list of actions in the field 'actions'")
    for number, action in enumerate(actions):
        target = action.get("target") if isinstance(action, dict) else None
        if not isinstance(target, str):
            raise OverlayError(f"actions[{number}]: expected a JSONPath in the field 'target'")
        try:
            is_done = _done(document, target, action)
        except OverlayError as error:
            raise OverlayError(f"actions[{number}]: {error}") from error
        if not is_done:
            yield target


def _done(document: dict[str, Any], target: str, action: dict[str, Any]) -> bool:
    """Carry out an action; tell whether there was something to change."""
    from jsonpath import JSONPathError, JSONPathMatch, finditer  # here: few contracts have an overlay

    try:
        found: list[JSONPathMatch] = list(finditer(target, document))
    except JSONPathError as error:
        raise OverlayError(f"{target}: {f'{error}'.partition(chr(10))[0]}") from error
    for match in reversed(found):  # from the end of a list on, so that places stay what they were
        parent = match.parent.obj if match.parent is not None else None
        key = match.parts[-1] if match.parts else None
        if action.get("remove") is True:
            if not isinstance(parent, dict | list):
                raise OverlayError(f"{target}: the whole document can't be removed")
            del parent[key]  # type: ignore[arg-type]  # a list's key is a number, an object's a name
        elif "update" in action:
            _merge(match.obj, action["update"], target)
    return bool(found)


def _merge(node: Any, update: Any, target: str) -> None:
    """Add to an object what an update says, at every depth, or to a list one more item."""
    if isinstance(node, list):
        node.append(copy.deepcopy(update))
    elif isinstance(node, dict) and isinstance(update, dict):
        for name, value in update.items():
            if isinstance(value, dict) and isinstance(node.get(name), dict):
                _merge(node[name], value, target)
            elif isinstance(value, list) and isinstance(node.get(name), list):
                node[name] = [*node[name], *copy.deepcopy(value)]
            else:
                node[name] = copy.deepcopy(value)
    else:
        raise OverlayError(f"{target}: an update changes objects and lists, and this is neither")
