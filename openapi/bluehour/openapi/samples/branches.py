"""From a schema with references and branches to plain ones: an object of keywords for each way through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..document import Document, at_pointer, resolve
from .merging import Node, both, merged

Shape = tuple[dict[str, Any], tuple[str, ...]]  # the keywords, and the references that led to them

_BRANCHING = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "discriminator"})
_EXAMPLES = frozenset({"example", "examples", "default"})
_STRUCTURE = frozenset({"properties", "items", "prefixItems"})


@dataclass(frozen=True, slots=True)
class Branches:
    """The ways through a document's schemas; where `lean`, those first after which a value soon ends."""

    document: Document
    lean: bool
    step: Callable[[], None]  # called for each branch that is taken; raises when there were too many

    def shapes(self, node: Node, above: tuple[str, ...] = ()) -> Iterator[Shape]:
        """Yield each way through a schema; none through one that only leads to itself."""
        if isinstance(node, bool):
            yield from [({}, ())] if node else []
            return
        passed = (node["$ref"],) if "$ref" in node else ()
        if passed and passed[0] in above:
            return
        own = {key: value for key, value in node.items() if key not in _BRANCHING}
        yield from self._joined((own, passed), self._decisions(node), above + passed)

    def _joined(self, shape: Shape, decisions: list[list[Node]], above: tuple[str, ...]) -> Iterator[Shape]:
        if not decisions:
            yield shape
            return
        keywords, passed = shape
        # An example of one part of several shows less than the whole, even where it is legal.
        ignored = _EXAMPLES if len(decisions) > 1 or not _STRUCTURE.isdisjoint(keywords) else ()
        for option in decisions[0]:
            for part, references in self.shapes(option, above):
                self.step()
                joined = merged(keywords, {key: part[key] for key in part if key not in ignored})
                if joined is not None:
                    yield from self._joined((joined, passed + references), decisions[1:], above)

    def _decisions(self, node: dict[str, Any]) -> list[list[Node]]:
        """List what must be decided on the way, each as its options."""
        decisions: list[list[Node]] = []
        if "$ref" in node:
            decisions.append([at_pointer(self.document, node["$ref"])])
        decisions += ([part] for part in node.get("allOf", ()))
        decisions += (self._options(node, keyword) for keyword in ("oneOf", "anyOf") if keyword in node)
        if "if" in node:
            met, then, otherwise = node["if"], node.get("then", True), node.get("else", True)
            decisions.append([both(met, then), both({"not": met}, otherwise)])
        return decisions

    def _options(self, node: dict[str, Any], keyword: str) -> list[Node]:
        branches: list[Node] = sorted(node[keyword], key=_is_null)
        if self.lean:
            branches.sort(key=lambda branch: repr(resolve(self.document, branch)).count("'$ref'"))
        discriminator = node.get("discriminator", {})
        return [
            _discriminated(branch, discriminator) for branch in branches if "propertyName" in discriminator
        ] + branches


def _is_null(branch: Node) -> bool:
    nulls = ({"type": "null"}, {"const": None}, {"enum": [None]})
    return isinstance(branch, dict) and any(null.items() <= branch.items() for null in nulls)


def _discriminated(branch: Node, discriminator: dict[str, Any]) -> Node:
    """Add the discriminator's value to a branch: the schema's name, unless the mapping has another."""
    if isinstance(branch, bool) or "$ref" not in branch:
        return branch
    names = (branch["$ref"], branch["$ref"].rsplit("/", 1)[-1])
    mapping = discriminator.get("mapping", {})
    value = next((key for key, target in mapping.items() if target in names), names[1])
    return both(branch, {"properties": {discriminator["propertyName"]: {"const": value}}})
