"""Which keyword of a schema is tried by which rules: the table in docs/checking.md."""

from __future__ import annotations

from .illegal import KEYWORDS

_EDGES = {
    "accept.bounds": (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "format"),
        *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    ),
    "accept.numbers": ("type", "multipleOf"),
    "accept.text": ("type",),
    "accept.optional": ("required",),
    "accept.unknown-keys": ("additionalProperties",),
}
"""What the edge is of, by the rule that is tried."""

_AS_A_WHOLE = (
    *("allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"),
    *("patternProperties", "prefixItems", "minContains", "maxContains"),
)
"""Keywords that only what schemathesis makes up tries: no single value tells which of them is meant."""


def keyword_table() -> str:
    """Return a table in Markdown: each keyword, what is refused for it, and what is legal at its edge."""
    keywords = sorted(
        {*_AS_A_WHOLE, *(each for every in (KEYWORDS, _EDGES) for of in every.values() for each in of)}
    )
    rows = ["| Keyword | Refused | Accepted at its edge |", "|---|---|---|"]
    for keyword in keywords:
        whole = keyword in _AS_A_WHOLE
        refused = ["refuse.random"] if whole else [rule for rule, of in KEYWORDS.items() if keyword in of]
        edges = ["accept.random"] if whole else [rule for rule, of in _EDGES.items() if keyword in of]
        rows.append(f"| `{keyword}` | {_told(refused)} | {_told(edges)} |")
    return "\n".join(rows)


def _told(rules: list[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in rules)
