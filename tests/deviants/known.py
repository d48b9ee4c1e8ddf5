"""The deviants that fail no check, each with the reason: most are wrong in what the contract leaves open."""

from __future__ import annotations

_WARNED = "it is told as a warning: a recipient may guess (RFC 9110, section 8.3)"
_FETCHED = "a server that fetches may refuse a URL that is not there, and only its own links are known to be"
_OPEN = "the contract does not say otherwise"

NOT_FOUND: dict[str, str] = {
    "untyped-body-accepted": _WARNED,
    "url-refused": _FETCHED,
    "url-with-a-query-refused": _FETCHED,
    "url-in-capitals-refused": _FETCHED,
    "library-url-refused": _FETCHED,
    "name-is-stripped": _OPEN,
    "queued-is-draft": _OPEN,
    "running-project-is-undeletable": _OPEN,
    "400-names-a-field-without-its-object": "the vendor's own messages name the last part alone (FACTS, 2.4)",
    "patch-of-a-project-is-200": "it shows at the published example's project alone",
    "odd-accept-is-500": "an Accept that can't be parsed may be refused on its way, in any manner",
    "put-is-201": "any 2xx is a success (FACTS, section 6)",
    "put-answers-with-a-body": "any 2xx is a success (FACTS, section 6)",
    "upload-expires-in-a-week": "it is told as a warning: the vendor gives no number",
    "upload-expires-in-a-minute": "it is told as a warning: the vendor gives no number",
    "last-slash-is-ignored": _OPEN,
    "last-slash-redirects": _OPEN,
    "capitals-are-ignored": _OPEN,
    "malformed-json-before-authentication": "frameworks parse before they ask who calls; it tells nothing",
}
