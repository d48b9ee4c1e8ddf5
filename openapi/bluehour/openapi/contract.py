"""A contract: an OpenAPI document as its operations. `load()` is where everyone starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from . import parsing
from .document import MAGIC_HOUR, Document, SpecError, in_direction, read, resolve
from .mending import Defect
from .model import UNDECLARED, DeclaredResponse, MediaType, Operation
from .own_keys import leave_out_wrong
from .references import refuse_endless
from .resources import Action, actions, wrong_hints
from .schema import Schema
from .structure import METHODS, Place


def load(
    place: Path | str = MAGIC_HOUR, *, overlays: Sequence[Path | str] = (), strict: bool = False
) -> Contract:
    """Read a contract from an OpenAPI or Swagger file, JSON or YAML; Magic Hour's own by default.

    A file is read once per process. What can't be used in it is left out, and is among the `defects`.

    Args:
        place: the file, or its address.
        overlays: files or addresses of changes to it: OpenAPI Overlay 1.0.
        strict: whether one defect is too many.

    Raises:
        SpecError: the file can't be served; the message says why, in one line.
    """
    return _load(place, tuple(overlays), strict)


@cache
def _load(place: Path | str, overlays: tuple[Path | str, ...], strict: bool) -> Contract:
    return load_anew(place, overlays=overlays, strict=strict)


def load_anew(place: Path | str, *, overlays: Sequence[Path | str] = (), strict: bool = False) -> Contract:
    """Read a contract from a file that may have changed since it was loaded.

    Raises:
        SpecError: as `load` does.
    """
    contract = Contract(read(place, overlays))
    if place != MAGIC_HOUR or overlays:
        _try_references(contract, place)
        _leave_out_wrong_keys(contract)
        _compile_all(contract)
        _note_illegal_examples(contract)
        _note_wrong_hints(contract)
        if strict and (defects := contract.defects):
            more = f" (and {len(defects) - 1:,} more)" if len(defects) > 1 else ""
            raise SpecError(f"{place}: {defects[0]}{more}")
    return contract


class Contract:
    """An OpenAPI document, as its operations."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = Document.of(document)

    @property
    def title(self) -> str:
        """The API's name."""
        return str(self.document.get("info", {}).get("title", "an API"))

    @property
    def version(self) -> str:
        """The API's version."""
        return str(self.document.get("info", {}).get("version", ""))

    @property
    def defects(self) -> Sequence[Defect]:
        """What is wrong in its file, and was left out."""
        return self.document.defects

    @cached_property
    def whole(self) -> Contract:
        """The contract with all its operations, of which this one may have some alone."""
        return self

    def narrowed_to(self, operation_ids: Collection[str]) -> Contract:
        """Return a contract that has some of the operations, and else knows what this one does."""
        _ = self.whole, self.actions, self.errors, self.mock_errors, self._usual_refusals
        made = copy(self)
        made.operations = tuple(each for each in self.operations if each.id in operation_ids)
        made.actions = {name: action for name, action in self.actions.items() if name in operation_ids}
        return made

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations that can be read, in the document's order."""
        return tuple(
            operation
            for path, item in self.document.get("paths", {}).items()
            if not path.startswith("x-")
            for method in METHODS
            if method in self._item(("paths", path), item)
            if (operation := self._operation(self._requests, ("paths", path), method))
        )

    def _item(self, place: Place, item: Any) -> Any:
        try:
            return resolve(self.document, item)
        except SpecError as error:
            self._left_out(place, f"{error}")
            return ()

    def _operation(self, requests: Document, place: Place, method: str) -> Operation | None:
        try:
            return parsing.operation(requests, self._responses, place, method)
        except SpecError as error:
            self._left_out((*place, method), f"{error}")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self._left_out((*place, method), f"it can't be read: {error!r}")
        return None

    def _left_out(self, place: Place, message: str) -> None:
        defect = Defect(place, message)
        if defect not in self.document.defects:
            self.document.defects.append(defect)

    @cached_property
    def _requests(self) -> Document:
        """The document as requests are judged by it."""
        return in_direction(self.document, "readOnly")

    @cached_property
    def _responses(self) -> Document:
        """The document as responses are judged by it."""
        return in_direction(self.document, "writeOnly")

    def operation(self, operation_id: str) -> Operation:
        """Return the operation of that id.

        Raises:
            KeyError: there is none.
        """
        return self._by_id[operation_id]

    @cached_property
    def _by_id(self) -> dict[str, Operation]:
        return {operation.id: operation for operation in self.operations}

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """What its operations do to its resources, as far as that shows, by operation id.

        Of a document whose references lead in circles, which `load` would have mended, none shows.
        """
        try:
            return actions(self.operations)
        except SpecError:
            return {}

    @cached_property
    def webhooks(self) -> Mapping[str, Operation]:
        """The requests that the server sends, by the event's name; all that can be read."""
        # The server's requests show what its responses show, so both sides are read as responses are.
        return {
            name: operation
            for name, item in self.document.get("webhooks", {}).items()
            if "post" in self._item(("webhooks", name), item)
            if (operation := self._operation(self._responses, ("webhooks", name), "post"))
        }

    def callbacks(self, operation: Operation) -> list[tuple[str, Operation]]:
        """Return the requests that the server sends to whom an operation's request names, with their names.

        The path of each is an expression such as `{$request.body#/url}`.
        """
        document, method = self._responses, operation.method.lower()
        return [
            (name, parsing.operation(document, document, (*place, expression), sent_by))
            for name, callback in (operation.node.get("callbacks") or {}).items()
            for place in [("paths", operation.path, method, "callbacks", name)]
            for expression, item in resolve(document, callback).items()
            for sent_by in METHODS
            if sent_by in resolve(document, item)
        ]

    @cached_property
    def base_paths(self) -> tuple[str, ...]:
        """The paths of the document's servers, such as `/api/v3`, without those that are empty."""
        return parsing.base_paths(self.document)

    def declared(self, operation: Operation | None, status: int) -> DeclaredResponse | None:
        """Return what may be answered with a status, by an operation or else by the server as a whole.

        An operation's `default` is as good as no word about a status that the server has a response for.

        Args:
            operation: what was called; None for what the contract does not have.
            status: of the answer.

        Returns:
            None where there is no such status.
        """
        everywhere = self.server_responses
        if operation is None:
            return everywhere.get(status) if everywhere else UNDECLARED
        own = operation.response(status)
        return own if own and own.status != "default" else everywhere.get(status, own)

    def usual_refusal(self, status: int) -> DeclaredResponse | None:
        """Return how most operations declare a status of an error, or else any error: a file's own shape.

        Returns:
            None where the contract says itself what its server answers, and where no error has a JSON body.
        """
        return (
            None if self.server_responses else self._usual_refusals.get(status, self._usual_refusals.get(0))
        )

    @cached_property
    def _usual_refusals(self) -> Mapping[int, DeclaredResponse]:
        """By status, and for all others under 0, the declared error that is met most often."""
        found: dict[int, list[DeclaredResponse]] = {}
        for operation in self.operations:
            for status, response in operation.responses.items():
                if response.json is not None and (status[0] in "45" or status == "default"):
                    found.setdefault(0, []).append(response)
                    if status.isdecimal():
                        found.setdefault(int(status), []).append(response)
        return {status: _most_common(responses) for status, responses in found.items()}

    @cached_property
    def server_responses(self) -> Mapping[int, DeclaredResponse]:
        """`x-server-responses`: what a server answers outside of any operation, by status."""
        return self._responses_under("x-server-responses")

    @cached_property
    def mock_responses(self) -> Mapping[int, DeclaredResponse]:
        """`x-mock-responses`: what a mock of it answers when it can't do its work, by status."""
        return self._responses_under("x-mock-responses")

    def _responses_under(self, key: str) -> Mapping[int, DeclaredResponse]:
        nodes = self._responses.get(key, {})
        return {int(code): parsing.response(self._responses, code, node) for code, node in nodes.items()}

    @cached_property
    def errors(self) -> Mapping[str, tuple[int, str]]:
        """Each error code that an answer may carry, with its status and the message that examples show."""
        declared = (item for operation in self.operations for item in operation.responses.items())
        return _errors_in([*declared, *((str(s), r) for s, r in self.server_responses.items())])

    @cached_property
    def mock_errors(self) -> Mapping[str, tuple[int, str]]:
        """Each error code of the `mock_responses`, likewise."""
        return _errors_in((str(status), response) for status, response in self.mock_responses.items())

    def extension(self, key: str, default: Any = None) -> Any:
        """Return one of the document's own x- keys, such as `x-plans`."""
        return self.document.get(key, default)


def _most_common(responses: Sequence[DeclaredResponse]) -> DeclaredResponse:
    """Return the first response of the schema that most of them have."""
    shapes = [id(response.json.schema.resolved) if response.json else 0 for response in responses]
    return responses[shapes.index(Counter(shapes).most_common(1)[0][0])]


def _usual_status(code: str) -> int | None:
    """Return the status that an error code is called as, such as 404 of `not_found`."""
    status = HTTPStatus.__members__.get(code.upper())
    return None if status is None else int(status)


def _errors_in(responses: Iterable[tuple[str, DeclaredResponse]]) -> dict[str, tuple[int, str]]:
    """Return the codes that are each an error of one status: a list of codes for any status tells of none."""
    known: dict[str, dict[int, Any]] = {}
    for status, response in responses:
        media = response.json
        if not status.isdecimal() or media is None:
            continue
        properties = media.schema.resolved.get("properties", {})
        codes = Schema(media.schema.document, properties.get("code", {})).resolved.get("enum", ())
        if not codes:
            continue
        message = media.example.get("message") if isinstance(media.example, dict) else None
        for code in codes:
            # Another contract's codes may be numbers, or stand beside other fields: they are none of these.
            is_told = isinstance(code, str) and _usual_status(code) in (None, int(status))
            if is_told and media.schema.accepts({"code": code, "message": message}):
                known.setdefault(code, {}).setdefault(int(status), message)
    return {code: next(iter(found.items())) for code, found in known.items() if len(found) == 1}


def _try_references(contract: Contract, place: Path | str) -> None:
    try:
        refuse_endless(contract.document)
    except SpecError as error:
        raise SpecError(f"{place}: {error}") from error


def _compile_all(contract: Contract) -> None:
    """Find the schemas that can't be used before the server starts, and have them refuse nothing."""
    _ = contract.actions  # first, as all schemas that are known by then are compiled together
    for operation in contract.operations:
        for schema in _schemas(operation):
            try:
                schema.compile()
            except SpecError as error:
                place = ("paths", operation.path, operation.method.lower())
                contract.document.defects.append(Defect(place, f"{error}"))
                schema.allow_anything()


def _note_illegal_examples(contract: Contract) -> None:
    """Say of which answers no published example is legal: another value is shown, as like it as can be."""
    for operation in contract.operations:
        for response in operation.responses.values():
            for media in response.content.values():
                published = [each for each in media.examples if not isinstance(each, str) or not media.is_xml]
                if not media.is_json or not published or any(map(media.schema.accepts, published)):
                    continue
                path, _ = next(iter(media.schema.broken(published[0])), ((), ""))
                where = f" at {'.'.join(map(str, path))}" if path else ""
                place = ("paths", operation.path, operation.method.lower(), "responses", response.status)
                message = f"the published example is not legal{where}; what is, is shown"
                contract.document.defects.append(Defect(place, message))


def _leave_out_wrong_keys(contract: Contract) -> None:
    plans, asset_types = (list(contract.extension(key, {})) for key in ("x-plans", "x-asset-extensions"))
    contract.document.defects += leave_out_wrong(contract.operations, plans, asset_types)


def _note_wrong_hints(contract: Contract) -> None:
    for operation, key, problem in wrong_hints(contract.operations):
        place = ("paths", operation.path, operation.method.lower(), key)
        contract.document.defects.append(Defect(place, problem))


def _schemas(operation: Operation) -> Iterator[Schema]:
    yield from (parameter.schema for parameter in operation.parameters)
    contents: list[Mapping[str, MediaType]] = [operation.body.content] if operation.body else []
    contents += [response.content for response in operation.responses.values()]
    for content in contents:
        yield from (media.schema for media in content.values())
    for response in operation.responses.values():
        yield from (header.schema for header in response.headers)
