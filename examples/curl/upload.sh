#!/usr/bin/env bash
# Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.
# usage: upload.sh FILE KEY CONTENT-TYPE      OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment
set -euo pipefail

file=$1 key=$2 type=$3
service=${OSS_PRESIGN_URL:-http://localhost:8080}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# Token and URL travel through pipes: other users of the machine can read the arguments of a process.
grant=$(
  jq -n --arg key "$key" --arg type "$type" --argjson length "$(wc -c <"$file")" \
    '{ key: $key, contentType: $type, contentLength: $length, metadata: { album: "examples" } }' |
    curl -sS --fail-with-body "$service/v1/uploads" -H 'Content-Type: application/json' --data-binary @- \
      -H @<(printf 'Authorization: Bearer %s' "$OSS_PRESIGN_TOKEN")
) || {
  echo "The service refused: $(jq -r .detail <<<"$grant")" >&2
  exit 1
}

as_curl_options='"request = \(.method | @json)", "url = \(.url | @json)", (.headers | to_entries[] | "header = \("\(.key): \(.value)" | @json)")'
sent=$(
  curl --globoff --progress-bar --upload-file "$file" --config <(jq -r "$as_curl_options" <<<"$grant") \
    --output "$answer" --write-out '%{http_code} %header{etag}'
)
if [[ $sent != 200* ]]; then
  element() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$answer"; }
  echo "OSS refused: ${sent%% *} $(element Code): $(element Message)" >&2
  exit 1
fi
echo "key:  $(jq -r .key <<<"$grant")"
echo "ETag: ${sent#* }"
