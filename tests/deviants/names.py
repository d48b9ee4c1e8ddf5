"""What there is to deviate in, by name: the contract's operations, and the two ends of a signed link."""

from __future__ import annotations

PHOTO = "aiPhotoEditor.createImage"
FACE = "aiFaceEditor.editImage"
UPLOAD_URLS = "videoAssets.generatePresignedUrl"
GET_PROJECT = "imageProjects.getDetails"
DELETE_PROJECT = "imageProjects.delete"
ACCOUNT = "account.get"

CREATES = (PHOTO, FACE)
POSTS = (*CREATES, UPLOAD_URLS)
OPERATIONS = (*POSTS, GET_PROJECT, DELETE_PROJECT)

UPLOAD = "upload"
"""The PUT of a file to its signed link, which is no operation of the contract."""
DOWNLOAD = "download"
"""The GET of a picture by its signed link, likewise."""
ELSEWHERE = "elsewhere"
"""What no operation answers: a path that there is not, or a method that a path has not."""
