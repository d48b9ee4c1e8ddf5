"""Bluehour with a fault: of two processes that open an account at once, both give it its credits.

So it would be if the store went by the count of rows that a driver tells in place of RETURNING.
"""

from __future__ import annotations

import time
from typing import Any

from bluehour.__main__ import main
from bluehour.mock_server.core.accounts import Account, Entry
from bluehour.mock_server.core.stores import sql, statements


def opened(session: Any, account: Account, at: float) -> Account:
    """Store an account with its opening credits, as if nobody else could."""
    time.sleep(0.02)
    session.change(
        statements.ADD_ACCOUNT, {**sql.row_of(account), "settled": account.credits, "settled_at": at}
    )
    session.change(statements.ADD_LINES, sql.row_of(Entry(account.id, None, account.credits, at)))
    return account


sql._opened = opened
if __name__ == "__main__":
    main()
