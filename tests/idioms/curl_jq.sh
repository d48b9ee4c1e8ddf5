#!/usr/bin/env bash
# curl and jq: URL TOKEN PHOTO OUT [SECONDS]
set -euo pipefail

API=$1 KEY=$2 PHOTO=$3 OUT=$4 SECONDS_EACH=${5:-30}
CURL=(curl -sS --fail --retry 2 --retry-connrefused --max-time "$SECONDS_EACH")
AUTH=(-H "Authorization: Bearer $KEY" -H "Content-Type: application/json")

urls=$("${CURL[@]}" "${AUTH[@]}" "$API/v1/files/upload-urls" -d '{"items": [{"type": "image", "extension": "jpg"}]}')
"${CURL[@]}" -X PUT --data-binary "@$PHOTO" "$(jq -r '.items[0].upload_url' <<<"$urls")"

body=$(jq -n --arg file "$(jq -r '.items[0].file_path' <<<"$urls")" \
  '{assets: {image_file_path: $file}, style: {mouth_smile: 60}}')
id=$("${CURL[@]}" "${AUTH[@]}" "$API/v1/ai-face-editor" -d "$body" | jq -r '.id')

while true; do
  project=$("${CURL[@]}" "${AUTH[@]}" "$API/v1/image-projects/$id")
  status=$(jq -r '.status' <<<"$project")
  case $status in
    complete) break ;;
    error | canceled) echo "the project is $status" >&2; exit 1 ;;
  esac
  sleep "${POLL_SECONDS:-2}"
done

curl -sS -o "$OUT/output.png" "$(jq -r '.downloads[0].url' <<<"$project")"
