"""All deviants there are, by area.

`serving.served` puts one on the wire. What makes it a deviant is proven by its own witness, in `test_oracle`:
whoever looks for faults in servers can be measured by how many of these they find, and by finding none in the
right server.
"""

from __future__ import annotations

from . import (
    acceptance,
    answers,
    auth,
    downloads,
    lifecycle,
    methods,
    money,
    robustness,
    subtle,
    uploads,
    validation,
)
from .deviant import Deviant

DEVIANTS: tuple[Deviant, ...] = (
    *auth.DEVIANTS,
    *validation.DEVIANTS,
    *acceptance.DEVIANTS,
    *answers.DEVIANTS,
    *money.DEVIANTS,
    *lifecycle.DEVIANTS,
    *downloads.DEVIANTS,
    *uploads.DEVIANTS,
    *methods.DEVIANTS,
    *robustness.DEVIANTS,
    *subtle.DEVIANTS,
)
