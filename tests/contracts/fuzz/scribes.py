"""Clients of a made-up API of jobs, `scribe-3.1.yaml`: one keeps every rule, the others do not."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

TRIES = 4
LONGEST_WAIT = 60
LONGEST_JOB = 300.0
ENDS = {"DONE": "complete", "FAILED": "error", "CANCELLED": "canceled"}
ORDER = {"audio_url": "http://a.example/a.mp3", "language": "de"}


class Failed(Exception):
    """The transcription could not be had; the message says why."""


class _StaysHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Scribe:
    """Asks the API, and asks again where it is told to."""

    def __init__(self, task: Any) -> None:
        self.task = task
        self.order: dict[str, Any] = dict(ORDER)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        for tries in range(TRIES):
            try:
                return self.once(method, path, body)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 503) or tries + 1 == TRIES:
                    raise Failed(f"answered {error.code}") from error
                self.wait(error.headers.get("Retry-After"), tries)
            except (OSError, ValueError, urllib.error.URLError) as error:
                raise Failed(f"{error}") from error
            except Exception as error:
                raise Failed(f"{error!r}") from error
        raise AssertionError("the last try returns or raises")

    def once(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.task.url}/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Scribe-Key": self.task.token, "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(_StaysHere)
        with opener.open(request, timeout=self.task.patience) as answer:
            return json.loads(answer.read() or b"null")

    def wait(self, retry_after: str | None, tries: int) -> None:
        if retry_after is not None and not (retry_after.isdecimal() and int(retry_after) <= LONGEST_WAIT):
            raise Failed("it is too busy")
        time.sleep(float(retry_after) if retry_after else 2.5 * 2**tries)

    def transcribe(self) -> dict[str, str]:
        made = self.call("POST", "/transcriptions", self.order)
        job = made.get("transcription_id") if isinstance(made, dict) else None
        if not isinstance(job, str):
            raise Failed("no id came")
        began = time.monotonic()
        while self.may_go_on(time.monotonic() - began):
            told = self.call("GET", f"/transcriptions/{job}")
            state = told.get("state") if isinstance(told, dict) else None
            if self.is_over(state):
                return {"status": ENDS.get(f"{state}", "")}
            time.sleep(2)
        raise Failed("it takes too long")

    def may_go_on(self, seconds: float) -> bool:
        return seconds < LONGEST_JOB

    def is_over(self, state: Any) -> bool:
        return state in ENDS


def careful(task: Any) -> Any:
    return Scribe(task).transcribe()


def polls_for_ever(task: Any) -> Any:
    class Patient(Scribe):
        def may_go_on(self, seconds: float) -> bool:
            return True

    return Patient(task).transcribe()


def polls_on_after_a_failure(task: Any) -> Any:
    class Hopeful(Scribe):
        def is_over(self, state: Any) -> bool:
            return bool(state == "DONE")

    return Hopeful(task).transcribe()


def retries_at_once(task: Any) -> Any:
    class Hasty(Scribe):
        def wait(self, retry_after: str | None, tries: int) -> None:
            """Not at all."""

    return Hasty(task).transcribe()


def sends_what_is_not_legal(task: Any) -> Any:
    scribe = Scribe(task)
    scribe.order["speakers"] = 99
    return scribe.transcribe()


def follows_redirects_with_the_key(task: Any) -> Any:
    class Trusting(Scribe):
        def once(self, method: str, path: str, body: Any) -> Any:
            request = urllib.request.Request(
                f"{self.task.url}/v2{path}",
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={"X-Scribe-Key": self.task.token, "Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=self.task.patience) as answer:
                return json.loads(answer.read() or b"null")

    return Trusting(task).transcribe()


def crashes_without_a_text(task: Any) -> Any:
    class Sure(Scribe):
        def call(self, method: str, path: str, body: Any = None) -> Any:
            told = super().call(method, path, body)
            if method == "GET" and told["state"] == "FAILED":
                told["text"].strip()
            return told

    return Sure(task).transcribe()
