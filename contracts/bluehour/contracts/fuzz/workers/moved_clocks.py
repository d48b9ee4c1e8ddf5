"""What Python code reads the time by, with the time moved: functions of `time`, classes of `datetime`.

A name is looked up in its module at each call, or was bound to the real one by `from time import time`: both
get a stand-in. C code that asks the system, another process and its files show the real time all the same.
"""

from __future__ import annotations

import copyreg
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date as _date
from datetime import datetime as _datetime
from datetime import timezone, tzinfo
from typing import Any
from unittest.mock import patch

Bound = tuple[dict[str, Any], str, Any]
"""A module's names, one of them, and what of the real clock it is bound to."""

_TIME = time.time
_IN_SECONDS = ("time", "monotonic", "perf_counter")
_CLOCKS = [getattr(time, name) for name in _IN_SECONDS]
_CLOCKS_NS = [getattr(time, f"{name}_ns") for name in _IN_SECONDS]
_AS_TEXT_OR_FIELDS = [time.gmtime, time.localtime, time.ctime]
_ASCTIME, _STRFTIME, _LOCALTIME = time.asctime, time.strftime, time.localtime
_BY_NUMBER = [getattr(time, name) for name in ("clock_gettime", "clock_gettime_ns") if hasattr(time, name)]
_OF_THE_CPU = {
    getattr(time, name, None)
    for name in ("CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID", "CLOCK_PROF")
}
_UTC = timezone.utc  # noqa: UP017 - Python 3.9 has no other name for it

_NOT_A_CLIENTS = (
    "bluehour",
    "hypothesis",
    "_pytest",
    "pytest",
    "xdist",
    "execnet",
)
_OF_PYTHON = ("queue", "threading")
"""Modules of Python's library that have bound a clock, for waits that a client's sleeping may end."""


def stand_ins(slept: Callable[[], float]) -> dict[Any, Any]:
    """Return what stands in the place of each real clock.

    Args:
        slept: tells by how many seconds the time is moved.
    """
    found: dict[Any, Any] = {clock: _in_seconds(clock, slept) for clock in _CLOCKS}
    found.update({clock: _in_nanoseconds(clock, slept) for clock in _CLOCKS_NS})
    found.update({clock: _by_number(clock, slept) for clock in _BY_NUMBER})
    found.update({clock: _of_now(clock, slept) for clock in _AS_TEXT_OR_FIELDS})
    localtime = found[_LOCALTIME]
    found[_ASCTIME] = lambda t=None: _ASCTIME(localtime() if t is None else t)
    found[_STRFTIME] = lambda format, t=None: _STRFTIME(format, localtime() if t is None else t)
    found.update(_classes(lambda: _TIME() + slept()))
    return found


@contextmanager
def installed(moved: Mapping[Any, Any], bound: Iterable[Bound]) -> Iterator[None]:
    """Put stand-ins in the place of what they stand for.

    Args:
        moved: as `stand_ins` makes them, and more of `time`.
        bound: names of modules that are bound to a real one.
    """
    with ExitStack() as stack:
        for real, ours in moved.items():
            module: Any = sys.modules[real.__module__]
            stack.enter_context(patch.object(module, real.__name__, ours))
        for names, name, real in bound:
            stack.enter_context(patch.dict(names, {name: moved[real]}))
        reducers = {real: _reducer(moved[real]) for real in (_date, _datetime)}
        stack.enter_context(patch.dict(copyreg.dispatch_table, reducers))
        yield


def bound_names(reals: Iterable[Any]) -> list[Bound]:
    """Return where modules have said, say, `from time import sleep`, but Python's own."""
    known = {id(real): real for real in reals}
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        is_others = file and name.partition(".")[0] not in _NOT_A_CLIENTS and not is_of_python(file)
        if is_others or name in _OF_PYTHON:
            names = vars(module)
            found += [
                (names, each, known[id(value)]) for each, value in list(names.items()) if id(value) in known
            ]
    return found


def is_of_python(file: str) -> bool:
    """Tell whether a file is of Python's own library."""
    return file.startswith(sysconfig.get_path("stdlib")) and "site-packages" not in file


# Functions of `time`.


def _in_seconds(clock: Callable[[], float], slept: Callable[[], float]) -> Callable[[], float]:
    return lambda: clock() + slept()


def _in_nanoseconds(clock: Callable[[], int], slept: Callable[[], float]) -> Callable[[], int]:
    return lambda: clock() + int(slept() * 10**9)


def _by_number(clock: Callable[[int], Any], slept: Callable[[], float]) -> Callable[[int], Any]:
    unit = 10**9 if clock.__name__.endswith("_ns") else 1

    def read(number: int) -> Any:
        moved = 0.0 if number in _OF_THE_CPU else slept()
        return clock(number) + type(clock(number))(moved * unit)

    return read


def _of_now(told: Callable[[float], Any], slept: Callable[[], float]) -> Callable[..., Any]:
    return lambda seconds=None: told(_TIME() + slept() if seconds is None else seconds)


# Classes of `datetime`.


class _Moved(type):
    """Takes instances of the real class for its own: what it makes are such, so that C code knows them."""

    def __instancecheck__(cls, instance: Any) -> bool:
        real = _replaced_by(cls)
        return isinstance(instance, real) if real else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        real = _replaced_by(cls)
        return issubclass(subclass, real) if real else super().__subclasscheck__(subclass)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (other is not None and _replaced_by(cls) is other)

    def __hash__(cls) -> int:
        real = _replaced_by(cls)
        return hash(real) if real else super().__hash__()


def _replaced_by(cls: type) -> type | None:
    """The real class in whose place one is; None for a client's, made from that in its place."""
    return next((real for real in (_date, _datetime) if cls.__base__ is real), None)


def _classes(now: Callable[[], float]) -> dict[Any, Any]:
    """Return a date and a datetime for which it is later than it is."""

    class Date(_date, metaclass=_Moved):
        def __new__(cls, *given: Any, **named: Any) -> Any:
            return _date.__new__(_replaced_by(cls) or cls, *given, **named)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(now())

    class DateTime(_datetime, metaclass=_Moved):
        def __new__(cls, *given: Any, **named: Any) -> Any:
            return _datetime.__new__(_replaced_by(cls) or cls, *given, **named)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return cls.fromtimestamp(now(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(now())

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(now(), _UTC).replace(tzinfo=None)

    for ours, real in ((Date, _date), (DateTime, _datetime)):
        ours.__name__, ours.__qualname__, ours.__module__ = real.__name__, real.__qualname__, real.__module__
    return {_date: Date, _datetime: DateTime}


def _reducer(ours: Any) -> Callable[[Any], Any]:
    """Pickles an instance by the class that its module has now."""
    return lambda value: (ours, value.__reduce_ex__(2)[1])
