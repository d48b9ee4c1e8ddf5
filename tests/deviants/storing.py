"""Deviants whose store keeps something else than it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.stores import Store
from bluehour.mock_server.mock import Mock

from .deviant import Wrap

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def with_store(make: Callable[[], Store]) -> Wrap:
    """Serve with a store of another make."""

    def wrap(mock: Mock) -> WSGIApplication:
        mock.world.store = make()
        return create_app(mock)

    return wrap
