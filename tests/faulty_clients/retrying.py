"""Clients that ask again too soon, too often, or for what was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from tests.faulty_clients.careful import Answer, Client, Trouble
from tests.faulty_clients.entry import breaks

Result = TypeVar("Result")


@breaks("retry.backoff")
class RetriesAtOnce(Client):
    """A 429 is answered with the same request in the same millisecond."""

    def pause(self, trouble: Trouble, number: int) -> float:
        return 0.0


@breaks("retry.backoff")
class RetriesWithoutEnd(Client):
    """While the server answers 500 or 503 we knock every three seconds, for as long as it takes."""

    def repeated(
        self,
        attempt: Callable[[], Result],
        may_repeat: Callable[[Trouble], bool] = lambda _: True,
        tries: int = 1_000,
    ) -> Result:
        return super().repeated(attempt, may_repeat, 1_000)

    def pause(self, trouble: Trouble, number: int) -> float:
        return max(3.0, self.retry_after(trouble.answer.headers) or 0.0) if trouble.answer else 3.0


@breaks("retry.after")
class WaitsOneSecond(Client):
    """After a 429 we wait one second, whatever Retry-After says."""

    def pause(self, trouble: Trouble, number: int) -> float:
        return 1.0 if trouble.status in (429, 503) else super().pause(trouble, number)


@breaks("retry.after")
class TakesSecondsForMilliseconds(Client):
    """Retry-After is handed to a sleep that takes milliseconds: `Retry-After: 20` waits 20 ms."""

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        seconds = super().retry_after(headers)
        return None if seconds is None else seconds / 1_000


@breaks("retry.after")
class FindsRetryAfterInOneCaseOnly(Client):
    """Headers are kept in a plain dict, and behind the new proxy `retry-after` comes in lower case."""

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        return super().retry_after(dict(headers.items()))


@breaks("error.legal")
class ReadsRetryAfterAsAnInteger(Client):
    """int() on Retry-After: a server that sends the HTTP date instead of seconds brings us down."""

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        return int(headers["Retry-After"]) if "Retry-After" in headers else None


@breaks("retry.refused")
class RetriesEverythingThatIsNot200(Client):
    """Every status but 2xx is retried after a while, a 400 and a 402 as well: they stay what they are."""

    def checked(self, answer: Answer) -> Answer:
        if 400 <= answer.status < 500 and answer.status != 429:
            raise self.trouble(f"answered {answer.status}", "status", answer)
        return super().checked(answer)

    def may_create_again(self, trouble: Trouble) -> bool:
        return 400 <= trouble.status < 500 or super().may_create_again(trouble)


@breaks("retry.refused")
class TriesTheTokenAgain(Client):
    """A 401 is taken for a token that has run out; it is "refreshed" from the same file, and sent again."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        answer = super().send(method, link, headers, body)
        if answer.status != 401:
            return answer
        self.wait(2.5)
        return super().send(method, link, headers, body)
