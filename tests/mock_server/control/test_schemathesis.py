"""schemathesis on the control API: whatever is sent, the answer is one of its contract, and never a bug."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck
from schemathesis.config import SchemathesisConfig

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.profiles import examples

CHECKS = (
    "not_a_server_error",
    "response_schema_conformance",
    "content_type_conformance",
    "status_code_conformance",
)
# NUL is refused everywhere, as in the mocked API.
config = SchemathesisConfig.from_dict(
    {
        "generation": {"allow-x00": False},
        "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
    }
)
app = create_app(Mock(settings=Settings(time_scale=0)))
# Resending waits for a receiver that there is not, settling for real seconds.
schema = schemathesis.openapi.from_wsgi("/_mock/openapi.json", app, config=config).exclude(
    operation_id=["settleDeliveries", "resendDelivery"]
)


@schema.parametrize()
@examples(10, suppress_health_check=list(HealthCheck))
def test_no_call_is_answered_but_as_the_contract_says(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()
