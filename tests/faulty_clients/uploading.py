"""Clients that upload something else than the photo, or misunderstand that it went well."""

from __future__ import annotations

from io import BytesIO

import requests

from tests.faulty_clients.careful import Answer, Client
from tests.faulty_clients.entry import breaks


@breaks("upload.intact")
class UploadsWithoutLineBreaks(Client):
    """The photo goes through `curl --data`, which takes out every CR and LF; --data-binary was meant."""

    def photo(self) -> bytes:
        return super().photo().replace(b"\r", b"").replace(b"\n", b"")


@breaks("upload.intact")
class UploadsTheFileAsText(Client):
    """The file is opened as text; bytes that are no UTF-8 become question marks."""

    def photo(self) -> bytes:
        return super().photo().decode("utf-8", errors="replace").encode()


@breaks("upload.intact")
class UploadsAForm(Client):
    """The photo is sent as a multipart form, so that the form's boundaries are stored with it."""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        if method == "PUT":
            form = requests.Request(
                "POST", "http://any", files={"file": ("photo.jpg", body or b"")}
            ).prepare()
            assert isinstance(form.body, bytes)
            headers, body = headers | {"Content-Type": str(form.headers["Content-Type"])}, form.body
        return super().send(method, link, headers, body)


@breaks("upload.intact")
class SendsNothingTheSecondTime(Client):
    """The retried PUT is empty: the file object was read to its end by the first one."""

    def put(self, link: str, photo: bytes) -> None:
        file = BytesIO(photo)
        self.repeated(lambda: self.stored(self.checked(self.send("PUT", link, {}, file.read()))))


class _Labelled(Client):
    content_type = ""

    def send(self, method: str, link: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        if method == "PUT":
            headers = headers | {"Content-Type": self.content_type}
        return super().send(method, link, headers, body)


@breaks("upload.typed")
class UploadsAsAForm(_Labelled):
    """The PUT is labelled application/x-www-form-urlencoded, as axios and curl --data do by themselves."""

    content_type = "application/x-www-form-urlencoded"


@breaks("upload.typed")
class UploadsAsBytes(_Labelled):
    """The PUT is labelled application/octet-stream, as aiohttp does with bytes."""

    content_type = "application/octet-stream"


@breaks("error.legal")
class AssertsThatThePutIs200(Client):
    """The upload asserts a 200; the storage answers 204 now, and 201 is as good."""

    def stored(self, answer: Answer) -> None:
        assert answer.status == 200
