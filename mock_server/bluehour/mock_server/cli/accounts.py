"""The command `bluehour accounts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .remote import RemoteGroup, tell, with_control

if TYPE_CHECKING:
    from ..control.client import Account, Booking, Control


@click.group(cls=RemoteGroup)
def accounts() -> None:
    """Show and change the accounts of a running mock.

    Exit codes: 0 done, 2 it can't be done (one line says why).
    """


@accounts.command("list")
@with_control
def all_of_them(control: Control, as_json: bool) -> None:
    """Show all of them."""
    tell(control.accounts.all(), _line, as_json=as_json)


@accounts.command()
@click.argument("id")
@with_control
def ledger(control: Control, id: str, as_json: bool) -> None:
    """Show what an account was given, charged and given back."""
    tell(control.accounts.get(id).ledger, _booking, as_json=as_json)


@accounts.command("set")
@click.argument("token")
@click.option("--credits", type=click.IntRange(0), help="What it is to have. Default: what it has.")
@click.option("--plan", help="Its plan. Default: the one that it has.")
@with_control
def put(control: Control, token: str, credits: int | None, plan: str | None, as_json: bool) -> None:
    """Give the account of a token credits and a plan; it is opened, if it is new."""
    tell([control.accounts.set(token, credits=credits, plan=plan)], _line, as_json=as_json)


def _line(account: Account) -> tuple[str, ...]:
    return account.id, account.token or "", account.plan, f"{account.credits:,} credits"


def _booking(booking: Booking) -> tuple[str, ...]:
    at = booking.at.astimezone().isoformat(" ", "seconds")
    return at, f"{booking.amount:+,}", booking.reason, f"{booking.balance:,} left", booking.project or ""
