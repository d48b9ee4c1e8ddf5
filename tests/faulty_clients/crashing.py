"""Clients whose way of failing is itself at fault."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.faulty_clients.careful import TRIES, Answer, Client, Edited, Trouble
from tests.faulty_clients.entry import breaks


@breaks("error.fault")
class TakesEvery200ForJson(Client):
    """A 200 with an empty body or a proxy's page ends in a bare JSONDecodeError."""

    def parsed(self, answer: Answer) -> Any:
        return json.loads(answer.body) if answer.status == 200 else super().parsed(answer)


@breaks("error.fault")
class TakesEveryErrorForJson(Client):
    """The body of an error is read as JSON without a look: the proxy's 502 is an HTML page."""

    def explained(self, answer: Answer) -> str:
        return str(json.loads(answer.body)["message"])


@breaks("error.legal")
class ExpectsAnotherEnvelope(Client):
    """The error's text is read from error.message, as other APIs have it: a KeyError for every 4xx."""

    def explained(self, answer: Answer) -> str:
        body = self.parsed(answer) if answer.body.startswith(b"{") else {"error": {"message": "a page"}}
        return str(body["error"]["message"])


@breaks("error.legal")
class KnowsAFewCodes(Client):
    """402 has three codes, and our table of texts for users has the one that we had met."""

    def explained(self, answer: Answer) -> str:
        if answer.status != 402:
            return super().explained(answer)
        return {"insufficient_credits": "Please buy credits"}[self.read_object(answer)["code"]]


@breaks("error.fault")
class KnowsAllCodes(Client):
    """What a 422 says is looked up in a table of the codes that there were: a new one is a KeyError."""

    def explained(self, answer: Answer) -> str:
        if answer.status != 422:
            return super().explained(answer)
        return {"unprocessable_entity": "Please look at what you asked for"}[self.read_object(answer)["code"]]


@breaks("error.fault")
class LogsTheAnswerThatNeverCame(Client):
    """The except branch logs `answer.status`, which is not bound when the connection was refused."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        try:
            answer = super().send(method, link, headers, body)
        except Trouble as trouble:
            raise self.trouble(f"{trouble} (status {answer.status})", trouble.kind) from trouble
        return answer


@breaks("error.fault")
class AsksTheErrorForItsResponse(Client):
    """`error.response.status_code`: a requests exception has no response when nothing came back."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        try:
            return super().send(method, link, headers, body)
        except Trouble as trouble:
            error = trouble.__cause__
            if isinstance(error, requests.RequestException) and error.response.status_code == 404:  # type: ignore[union-attr]
                raise self.trouble("not found", "connection") from error
            raise


@breaks("error.fault")
class RaisesWhatComesToHand(Client):
    """Whatever goes wrong is a bare LookupError, which looks like a bug to whoever gets it."""

    def edit(self) -> Edited | None:
        try:
            return super().edit()
        except Trouble as trouble:
            raise LookupError(str(trouble)) from trouble


@breaks("error.fault")
class RaisesNoneWhenTriesRunOut(Client):
    """After the last try it raises the error that it kept, and it had kept none: `raise None`."""

    def poll(self, project_id: str, tries: int = TRIES) -> Any:
        last = None
        for _ in range(tries):
            try:
                return super().poll(project_id, tries=1)
            except Trouble as trouble:
                self.wait(self.pause(trouble, 0))
        raise last  # type: ignore[misc]
