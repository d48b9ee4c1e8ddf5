"""The rules that a server must keep, each with its place in the contract and what it costs to check.

The judge, the checker and the proxy say which of them an answer breaks; reports and suites show them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract


class Severity(StrEnum):
    """How bad a broken rule is: an error fails a check, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


class Cost(StrEnum):
    """What it costs to check a rule on a server that keeps it, in words."""

    NOTHING = "nothing"
    REFUSED = "nothing, as it is refused; the operation's price where it is wrongly accepted"
    SHARED = "a share of the few creates that many rules look at"
    CREATE = "the price of a create of its own"
    PICTURES = "the price of every picture that it looks at, of which rules share some"


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that every server must do.

    Attributes:
        id: for `--only` and `--skip`; its first part is its group, such as `refuse`.
        title: what a server that keeps it does, in a sentence.
        place: what of the contract says so.
        cost: what checking it costs.
        advice: what to do where it is broken.
        severity: whether breaking it fails a check.
    """

    id: str
    title: str
    place: str
    cost: Cost
    advice: str
    severity: Severity = Severity.ERROR

    @property
    def group(self) -> str:
        """The first part of its id."""
        return self.id.partition(".")[0]


def rule(rule_id: str) -> Rule:
    """Return the rule of that id.

    Raises:
        KeyError: there is none.
    """
    return _BY_ID[rule_id]


_NOTHING, _REFUSED, _SHARED, _CREATE = Cost.NOTHING, Cost.REFUSED, Cost.SHARED, Cost.CREATE
_PICTURES = Cost.PICTURES

RULES: tuple[Rule, ...] = (
    # Every answer, whatever was asked.
    Rule(
        "answer.arrives",
        "Every request is answered in time, and whole",
        "paths: an operation ends in one of its responses",
        _NOTHING,
        "Find in the server's log what became of the request: a crash, a worker's time limit, a proxy's.",
    ),
    Rule(
        "answer.server-error",
        "No request makes the server fail: no answer is a 5xx",
        "responses: a 5xx tells of a fault of the server, never of the request",
        _NOTHING,
        "Send the request again with the server's log open, and answer what is wrong with it by a 4xx.",
    ),
    Rule(
        "answer.status",
        "The status is one that the operation declares",
        "responses of the operation, and x-server-responses outside of any",
        _NOTHING,
        "Answer by a declared status, or declare this one.",
    ),
    Rule(
        "answer.content-type",
        "The Content-Type is one that is declared for the status",
        "responses.*.content of the operation",
        _NOTHING,
        "Set the header Content-Type: clients choose by it how to read the body.",
    ),
    Rule(
        "answer.schema",
        "The body is as the schema of its status says",
        "responses.*.content.*.schema of the operation",
        _NOTHING,
        "Send the field as the schema has it: SDKs refuse the whole answer for one that is not.",
    ),
    Rule(
        "answer.envelope",
        "A refusal is an object with a code that fits its status, and a message",
        "components.responses: code and message of each",
        _NOTHING,
        "Build every refusal in one place, from the contract's codes.",
    ),
    Rule(
        "answer.headers",
        "The headers that are declared for the status are there",
        "responses.*.headers",
        _NOTHING,
        "Send the header.",
    ),
    Rule(
        "answer.leak",
        "No answer shows a stack trace, a path of the server's disk or a secret",
        "components.responses: a message is for the caller",
        _NOTHING,
        "Log the details, and answer with a sentence of your own.",
    ),
    Rule(
        "answer.offered",
        "The deployment has every operation of the contract",
        "paths",
        _NOTHING,
        "Deploy the operation, or have what stands before it pass the path on.",
    ),
    # Who calls.
    Rule(
        "auth.required",
        "Without a valid bearer token the answer is 401",
        "security of the operation; response 401",
        _REFUSED,
        "Check the credentials before anything else, for every operation that declares security.",
    ),
    Rule(
        "auth.scheme-case",
        "The word Bearer may be written in any case",
        "components.securitySchemes: an HTTP scheme's name has no case (RFC 9110, section 11.1)",
        _NOTHING,
        "Compare the scheme without regard to case.",
    ),
    Rule(
        "auth.own-projects",
        "A project of another account is not to be found: 404 to read and to delete it",
        "response 404 of the project operations",
        _SHARED,
        "Look projects up by id and account together.",
    ),
    Rule(
        "auth.own-uploads",
        "An upload of another account can't be used",
        "response 422 of the editors: an asset that was never issued to this account",
        _REFUSED,
        "Look uploads up by path and account together.",
    ),
    # What must be refused.
    Rule(
        "refuse.missing",
        "A body that lacks a required field is refused",
        "required of each object in the request's schema",
        _REFUSED,
        "Validate requests by the contract's schema, before anything is stored or charged.",
    ),
    Rule(
        "refuse.null",
        "null is refused where the schema does not allow it",
        "type of each field in the request's schema",
        _REFUSED,
        "Treat null as a value of a wrong type, not as a missing field.",
    ),
    Rule(
        "refuse.type",
        "A value of a wrong type is refused, not converted",
        "type of each field in the request's schema",
        _REFUSED,
        'Switch conversion off in the validator: "60" is no number, true is no 1, and 4.5 no integer.',
    ),
    Rule(
        "refuse.container",
        "An object or an array that is none, or has in it what it must not have, is refused",
        "type, additionalProperties, uniqueItems and contains in the request's schema",
        _REFUSED,
        "Check a value's type before reaching into it.",
    ),
    Rule(
        "refuse.empty",
        "An empty string or list is refused where the schema wants something in it",
        "minLength, minItems and minProperties in the request's schema",
        _REFUSED,
        "Apply minLength and minItems.",
    ),
    Rule(
        "refuse.minimum",
        "A number below its minimum is refused",
        "minimum in the request's schema",
        _REFUSED,
        "Apply the lower bound; do not clamp.",
    ),
    Rule(
        "refuse.maximum",
        "A number above its maximum is refused",
        "maximum in the request's schema; maxLength, maxItems and maxProperties",
        _REFUSED,
        "Apply the upper bound; do not clamp.",
    ),
    Rule(
        "refuse.step",
        "A number off its step is refused",
        "multipleOf in the request's schema",
        _REFUSED,
        "Apply multipleOf, to fractions too; do not round.",
    ),
    Rule(
        "refuse.choice",
        "A value that is not among the choices is refused",
        "enum in the request's schema",
        _REFUSED,
        "Compare with the contract's choices, case included.",
    ),
    Rule(
        "refuse.pattern",
        "A text that does not match its pattern or its format is refused",
        "pattern, format and propertyNames in the request's schema",
        _REFUSED,
        "Match the whole pattern, anchors included.",
    ),
    Rule(
        "refuse.media-type",
        "A body of another media type than the declared ones is refused",
        "requestBody.content of the operation",
        _REFUSED,
        "Look at the Content-Type before parsing.",
    ),
    Rule(
        "refuse.untyped",
        "A body that does not say its media type is refused",
        "requestBody.content of the operation",
        _REFUSED,
        "Ask for a Content-Type: what is guessed today is guessed otherwise tomorrow.",
        Severity.WARNING,
    ),
    Rule(
        "refuse.malformed",
        "A body that is missing, cut off or no JSON at all is refused",
        "requestBody.required; response 400",
        _REFUSED,
        "Answer what can't be parsed by a 400; do not take it for an empty object.",
    ),
    Rule(
        "refuse.random",
        "Whatever else breaks the request's schema is refused (schemathesis makes it up)",
        "the request's schema as a whole",
        _REFUSED,
        "Validate requests by the contract's schema rather than by hand.",
    ),
    Rule(
        "refuse.status",
        "What breaks the request's schema is answered by 400, code invalid_request",
        "response 400: the request is malformed or breaks a rule of its schema",
        _REFUSED,
        "Keep 422 for values that are well-formed but can't be used, and 404 for what is not there.",
    ),
    Rule(
        "refuse.names-fault",
        "The message of a 400 names every field that is wrong",
        "response 400: the message names every fault",
        _REFUSED,
        "Collect all faults, and name each field in the message.",
    ),
    Rule(
        "refuse.leaves-no-trace",
        "A refused request changes nothing and charges nothing",
        "responses 400 and 422; x-credits is for a create that was accepted",
        _CREATE,
        "Validate before charging, or charge and validate in one transaction.",
    ),
    # What must be accepted.
    Rule(
        "accept.examples",
        "Every published example of a request is accepted",
        "requestBody.content.*.examples",
        _SHARED,
        "Somebody has copied this from the documentation: make it work.",
    ),
    Rule(
        "accept.bounds",
        "The least and the greatest allowed value are accepted",
        "minimum and maximum in the request's schema, minLength and maxLength, minItems and maxItems, all of "
        "which are inclusive",
        _SHARED,
        "Compare with <= and >=.",
    ),
    Rule(
        "accept.numbers",
        "Any way to write a number is accepted: 0, a negative one, 5 for a number, 4.0 for an integer",
        "type: number and type: integer, as JSON Schema has them",
        _SHARED,
        "Ask whether a field is there, not whether it is true; and take 4.0 for the integer that it is.",
    ),
    Rule(
        "accept.text",
        "Any text is accepted: empty, long, in any script, with quotes, backslashes and line breaks",
        "type: string without minLength, maxLength or pattern",
        _SHARED,
        "Set no limit that the contract does not have, and let the JSON library do the escaping.",
    ),
    Rule(
        "accept.optional",
        "What is optional may be left out, all of it at once",
        "required of each object in the request's schema",
        _SHARED,
        "Fill in the contract's defaults.",
    ),
    Rule(
        "accept.deprecated",
        "A deprecated field is still accepted",
        "deprecated in the request's schema",
        _SHARED,
        "Take it and ignore it, until the contract drops it.",
    ),
    Rule(
        "accept.unknown-keys",
        "Keys that the schema does not speak of are accepted",
        "no additionalProperties: false in the request's schema",
        _SHARED,
        "Ignore them.",
    ),
    Rule(
        "accept.media-type",
        "A declared media type is accepted with parameters, and in any case",
        "requestBody.content of the operation (RFC 9110, section 8.3.1)",
        _SHARED,
        "Parse the Content-Type rather than compare it.",
    ),
    Rule(
        "accept.headers",
        "A request is answered the same whatever headers and query it has that the contract does not know",
        "parameters of the operation: it needs no others, and forbids none",
        _NOTHING,
        "Read the headers and parameters that the contract has, and no others.",
    ),
    Rule(
        "accept.asset-url",
        "A picture can be named by its URL",
        "x-asset-type of the field: the file_path of an upload, or the direct URL of an image",
        _SHARED,
        "Take a URL whose path ends in a documented extension, its query aside.",
    ),
    Rule(
        "accept.extensions",
        "Every documented extension of an asset can be uploaded",
        "x-asset-extensions",
        _NOTHING,
        "Take the list from the contract.",
    ),
    Rule(
        "accept.random",
        "Whatever else the request's schema allows is accepted (schemathesis makes it up)",
        "the request's schema as a whole",
        _SHARED,
        "Validate requests by the contract's schema rather than by hand.",
    ),
    # Money.
    Rule(
        "credits.price",
        "A create charges the operation's price",
        "x-credits of the operation",
        _SHARED,
        "Charge what the contract says, and say what was charged.",
    ),
    Rule(
        "credits.same",
        "The deprecated cost, the create's answer and the project agree on what was charged",
        "frame_cost, total_frame_cost and credits_charged",
        _SHARED,
        "Serve both fields from one number.",
    ),
    Rule(
        "credits.refund",
        "A job that fails costs nothing: its project shows 0 credits, and the account has them back",
        "credits_charged of the project: it will be updated to include the refund",
        _CREATE,
        "Book the refund when the job fails, in the same transaction.",
    ),
    Rule(
        "credits.balance",
        "An account is charged what the answers say, to the last credit",
        "x-credits of the operation; credits_charged of its answer",
        _CREATE,
        "Keep one ledger, and answer from it.",
    ),
    Rule(
        "credits.empty",
        "An account that can't pay is refused by 402, code insufficient_credits, and not before",
        "response 402 of the editors",
        _REFUSED,
        "Compare balance and price in the transaction that charges.",
    ),
    Rule(
        "credits.plan",
        "What the account's plan does not allow is refused by 402, code plan_upgrade_required",
        "x-plan-limit of the field, x-plans of the contract",
        _REFUSED,
        "Check the plan's limits before charging.",
    ),
    Rule(
        "credits.account",
        "The account's own balance is what its projects say that they have cost, and nothing else",
        "credits of GET /v1/account",
        _SHARED,
        "Book exactly what the answers say, once, and show the balance that is booked.",
    ),
    # A project's life.
    Rule(
        "project.id",
        "Every create gets an id of its own",
        "id of the create's answer: unique ID of the image",
        _SHARED,
        "Make ids by chance or by a sequence of the database.",
    ),
    Rule(
        "project.found",
        "A project can be read as soon as its create was answered, and never gets lost",
        "links of the create: GetImageProject",
        _SHARED,
        "Answer the create once the project is stored; read from where it was written.",
    ),
    Rule(
        "project.kept",
        "A project keeps its id, name, type and time of creation",
        "schema ImageProject; name of the request; x-project-type of the operation",
        _SHARED,
        "Store what was asked as it was asked.",
    ),
    Rule(
        "project.created-at",
        "A project's created_at is the time of its create",
        "created_at of schema ImageProject",
        _SHARED,
        "Store the time at create, in UTC.",
    ),
    Rule(
        "project.status",
        "A status never goes back, and a project that has ended stays as it is",
        "status of schema ImageProject: queued, rendering, then complete, error or canceled",
        _SHARED,
        "Let one place write the status, and read from where it was written.",
    ),
    Rule(
        "project.ends",
        "Every job ends in time",
        "x-render-seconds of the operation; --patience",
        _SHARED,
        "Give jobs a time limit, after which they end in an error.",
    ),
    Rule(
        "project.complete",
        "A legal edit of a good picture completes",
        "status of schema ImageProject; x-job-errors",
        _SHARED,
        "Look at the job's error. If the picture is the reason, name a better one by --picture.",
    ),
    Rule(
        "project.error",
        "A project has an error if its status is error, and only then",
        "error of schema ImageProject: in the case of an error, what happened",
        _SHARED,
        "Write status and error together.",
    ),
    Rule(
        "project.downloads",
        "Downloads are there once a project is complete, one for each image, and not before",
        "downloads of schema ImageProject: empty until the project is complete; image_count",
        _SHARED,
        "Write status and downloads together.",
    ),
    Rule(
        "project.unknown",
        "An id that there is not is answered by 404",
        "response 404 of the project operations",
        _NOTHING,
        "Answer 404 for whatever is not found, however odd the id.",
    ),
    Rule(
        "project.deleted",
        "A deleted project can still be read: not enabled, without downloads",
        "enabled of schema ImageProject; delete's description",
        _SHARED,
        "Mark it as deleted, rather than remove its row.",
    ),
    Rule(
        "project.delete",
        "DELETE answers 204, however often",
        "response 204 of delete; its description",
        _SHARED,
        "Let the second DELETE find nothing left to do.",
    ),
    Rule(
        "project.example",
        "The published example project can always be read and deleted (on servers with test accounts)",
        "x-example-projects",
        _NOTHING,
        "Answer for this id without looking it up.",
    ),
    # Downloads.
    Rule(
        "download.link",
        "A download link can be fetched as it is, without a token",
        "downloads.*.url of schema ImageProject",
        _SHARED,
        "Sign the link; clients send no credentials to it.",
    ),
    Rule(
        "download.picture",
        "A download is a whole picture, of the type that its headers and its name say",
        "downloads.*.url of schema ImageProject",
        _SHARED,
        "Write the file whole before the project is complete, and name its type.",
    ),
    Rule(
        "download.size",
        "A picture has the size that was asked for, and its source's proportions",
        "resolution and upscale_factor of the photo editor; longest-edge of x-plans",
        _SHARED,
        "Scale the longer side to the size, and the other with it.",
    ),
    Rule(
        "download.expiry",
        "A download link lives as long as it says, for the published time",
        "downloads.*.expires_at; x-lifetimes.download-link",
        _SHARED,
        "Sign for the published lifetime, and refuse the link from then on.",
    ),
    Rule(
        "download.tampered",
        "A download link that was changed is refused",
        "downloads.*.url: links are signed; response 403 of x-server-responses",
        _SHARED,
        "Verify the signature over the whole link.",
    ),
    Rule(
        "download.deleted",
        "The links of a deleted project lead nowhere",
        "delete: permanently delete the rendered images",
        _SHARED,
        "Delete the file, or check the project before sending it.",
    ),
    # Uploads.
    Rule(
        "upload.items",
        "There is one link for each item asked for, in that order, with its extension",
        "items of schema UploadUrlsResponse: the upload URLs, in the order of the request",
        _NOTHING,
        "Answer item by item.",
    ),
    Rule(
        "upload.unique",
        "No two uploads share a path or a link",
        "file_path and upload_url of schema UploadUrlsResponse",
        _NOTHING,
        "Put something unique into every path.",
    ),
    Rule(
        "upload.put",
        "A file can be PUT to its link, with any Content-Type or none, and again",
        "upload_url: PUT the file's bytes here",
        _NOTHING,
        "Take the raw bytes, whatever the headers say.",
    ),
    Rule(
        "upload.usable",
        "What was uploaded can be edited, and the last upload counts",
        "file_path: what to name in the assets of other requests",
        _SHARED,
        "Answer the PUT once the file is stored where the editors look for it.",
    ),
    Rule(
        "upload.broken",
        "A file that is no picture is refused, or ends its job in an error and a refund",
        "x-job-errors: invalid_file_format",
        _CREATE,
        "Decode the picture before the job completes.",
    ),
    Rule(
        "upload.expiry",
        "An upload link tells when it expires, is good until then, and no longer",
        "expires_at of schema UploadUrlsResponse; x-lifetimes.upload-link",
        _NOTHING,
        "Say the time that the signature says.",
    ),
    Rule(
        "upload.lifetime",
        "An upload link lives for an hour",
        "x-lifetimes.upload-link, which is Bluehour's own: the vendor gives no number",
        _NOTHING,
        "Nothing, if your links live as long as you mean them to.",
        Severity.WARNING,
    ),
    Rule(
        "upload.tampered",
        "An upload link that was changed is refused",
        "upload_url: links are signed; response 403 of x-server-responses",
        _NOTHING,
        "Verify the signature over the whole link.",
    ),
    Rule(
        "upload.extension",
        "An extension that does not fit its type is refused by 422",
        "x-asset-extensions; response 422 of upload-urls",
        _NOTHING,
        "Compare with the type's own list.",
    ),
    Rule(
        "upload.issued",
        "An asset that was never issued, or is no picture by its name, is refused by 422",
        "response 422 of the editors; x-asset-type of the field",
        _REFUSED,
        "Look the path up before charging.",
    ),
    # Methods and paths.
    Rule(
        "method.allowed",
        "A method that the path has not is answered by 405, with those that it has in Allow",
        "x-server-responses 405, header Allow",
        _NOTHING,
        "Let the router answer, and keep its Allow header.",
    ),
    Rule(
        "method.head",
        "HEAD answers as GET does, without a body",
        "RFC 9110, section 9.3.2",
        _NOTHING,
        "Route HEAD to GET, and drop the body.",
    ),
    Rule(
        "method.options",
        "OPTIONS is answered by 2xx or 405, and tells the path's methods",
        "RFC 9110, section 9.3.7",
        _NOTHING,
        "Answer 200 or 204 with Allow.",
    ),
    Rule(
        "path.unknown",
        "A path that there is not is answered by 404",
        "paths of the contract; x-server-responses 404",
        _NOTHING,
        "Answer 404, in the envelope of every refusal.",
    ),
)

PIXEL_RULES: tuple[Rule, ...] = (
    Rule(
        "pixels.neutral",
        "A face edit that asks for nothing changes nothing but for the file's own compression",
        "defaults in style of the face editor: every slider 0, enhance_face false",
        _PICTURES,
        "Give back the source where nothing is asked for; mark, sharpen or recolour nothing by the way.",
    ),
    Rule(
        "pixels.slider",
        "Each slider of the face editor moves its own part of the face, further the further it is moved",
        "descriptions in style of the face editor; which way is up or right is Bluehour's own: "
        "mock_server/bluehour/mock_server/rendering/reference/face/sliders.py",
        _PICTURES,
        "Edit by this slider alone and look at the pictures: is it read, under this name, with this sign?",
    ),
    Rule(
        "pixels.scene",
        "The higher likeness_strength, the more a photo edit keeps of its source's structure",
        "style.likeness_strength of the photo editor: higher values align the output more with the image",
        _PICTURES,
        "Check that likeness_strength reaches the model, and that it is not turned round on its way.",
    ),
    Rule(
        "pixels.tone",
        "A photo edit has the tone that its prompt names: dark, bright, black-and-white",
        "style.prompt of the photo editor: what the final output is to look like",
        _PICTURES,
        "Check that the prompt reaches the model, and that prompt_strength leaves it something to do.",
    ),
    Rule(
        "pixels.size",
        "A picture has to the pixel the size that was asked for, and its source's proportions",
        "resolution and upscale_factor of the photo editor; longest-edge of x-plans",
        _PICTURES,
        "Scale the longer side to the size, and the other with it, after the model's own rounding.",
    ),
)
"""What the editors do to pictures; judged only where it is asked for, as every picture is paid for."""

RESOURCE_RULES: tuple[Rule, ...] = (
    Rule(
        "resource.id",
        "Every create makes an item of its own: its id is told, and no other item has it",
        "responses of the operation that creates; the parameter of the path that reads",
        _SHARED,
        "Draw the id when the item is stored, and tell it in the answer or in Location.",
    ),
    Rule(
        "resource.found",
        "What was created can be read at once",
        "paths: the item's own",
        _SHARED,
        "Answer a create once the item can be read: by whoever asks next, at whatever replica.",
    ),
    Rule(
        "resource.kept",
        "An item shows what its create was sent",
        "requestBody of the create, responses of the read: fields of one name",
        _SHARED,
        "Store the field, and show it; or take it out of the one schema or the other.",
    ),
    Rule(
        "resource.location",
        "Location leads to the item that was created",
        "responses.*.headers.Location of the create (RFC 9110, section 10.2.2)",
        _SHARED,
        "Send the item's own path, with the base path before it.",
    ),
    Rule(
        "resource.listed",
        "A list has the items that were created",
        "paths: the collection's own",
        _SHARED,
        "List from where creates store; mind caches, and filters that are on by default.",
    ),
    Rule(
        "resource.changed",
        "What was changed stays changed",
        "requestBody of the operations that replace and update",
        _SHARED,
        "Store the change before it is answered.",
    ),
    Rule(
        "resource.deleted",
        "What was deleted is gone: reading it is 404 or 410",
        "paths: the item's own, DELETE and GET",
        _SHARED,
        "Look for deleted items nowhere, or answer 410 for them.",
    ),
    Rule(
        "resource.unknown",
        "An id that nobody was given is 404",
        "responses 404 of the operations on one item",
        _NOTHING,
        "Answer 404 where the id is well formed and there is no such item.",
    ),
    Rule(
        "resource.status",
        "A job's status only goes forward, and its end is the end",
        "the status field of the item, and the words that it may have",
        _SHARED,
        "Read the status from where it is written; mind replicas that lag behind.",
    ),
    Rule(
        "resource.ends",
        "A job ends in time",
        "the status field of the item; --patience",
        _SHARED,
        "Look for the job in the queue, and for what its worker died of.",
    ),
    Rule(
        "resource.callback",
        "A callback comes once its job has ended, with the body that is declared for it",
        "callbacks of the create",
        _SHARED,
        "Send the callback after the job's end is stored, and again where it is not taken.",
    ),
)
"""What any API does with what it keeps; judged where the contract's operations show resources."""

ALL_RULES = (*RULES, *RESOURCE_RULES, *PIXEL_RULES)

_WITH_PROJECTS_ALONE = ("credits", "project", "download", "upload")
"""Groups of rules that ask for what only `x-` keys tell: prices, projects, assets."""

_WITH_X_KEYS_ALONE = (
    "auth.own-projects",
    "auth.own-uploads",
    "refuse.names-fault",
    "refuse.status",
    "refuse.leaves-no-trace",
    "accept.asset-url",
    "accept.extensions",
    "accept.headers",
)


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules that a contract's server can be judged by, but for those about pictures."""
    has_projects = any(operation.behaviour for operation in contract.operations)
    own = RULES if has_projects else tuple(each for each in RULES if not _asks_for_x_keys(each))
    if not any(operation.behaviour == "get-account" for operation in contract.operations):
        own = tuple(each for each in own if each.id != "credits.account")
    return (*own, *RESOURCE_RULES) if contract.actions else own


def _asks_for_x_keys(each: Rule) -> bool:
    return each.group in _WITH_PROJECTS_ALONE or each.id in _WITH_X_KEYS_ALONE


_BY_ID = {each.id: each for each in ALL_RULES}
