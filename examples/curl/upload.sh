#!/usr/bin/env bash
# Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to that
# URL. Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come
# from the environment.
set -euo pipefail

usage() {
  echo 'usage: upload.sh FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)' >&2
  exit 2
}
fail() {
  echo "$1" >&2
  exit 1
}

arguments=() metadata='{}'
while (($#)); do
  case $1 in
    --meta)
      [[ ${2-} == ?*=* ]] || usage
      metadata=$(jq --arg name "${2%%=*}" --arg value "${2#*=}" '.[$name] = $value' <<<"$metadata")
      shift
      ;;
    --*) usage ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
((${#arguments[@]} >= 1 && ${#arguments[@]} <= 3)) && [[ ${OSS_PRESIGN_TOKEN-} ]] || usage
file=${arguments[0]} key=${arguments[1]-} type=${arguments[2]-}
service=${OSS_PRESIGN_URL:-http://localhost:8080}
[[ -f $file && -r $file ]] || fail "Cannot read $file."

if [[ ! $type ]]; then
  case ${file,,} in
    *.png) type=image/png ;;
    *.jpg | *.jpeg) type=image/jpeg ;;
    *.gif) type=image/gif ;;
    *.webp) type=image/webp ;;
    *.mp4) type=video/mp4 ;;
    *.mp3) type=audio/mpeg ;;
    *.pdf) type=application/pdf ;;
    *.zip) type=application/zip ;;
    *.json) type=application/json ;;
    *.csv) type=text/csv ;;
    *.txt) type=text/plain ;;
    *) type=application/octet-stream ;;
  esac
fi

response=$(mktemp)
trap 'rm -f "$response"' EXIT

# Token and URL travel through pipes, because other users of the machine can read the arguments of a
# process.
ask() {
  jq -n --arg key "$key" --arg filename "${file##*/}" --arg type "$type" --argjson length "$(wc -c <"$file")" --argjson metadata "$metadata" '
    { contentType: $type, contentLength: $length }
    + if $key != "" then { $key } else { $filename } end
    + if $metadata != {} then { $metadata } else {} end' |
    curl -sS "$service/v1/uploads" -H 'Content-Type: application/json' -H @<(printf 'Authorization: Bearer %s' "$OSS_PRESIGN_TOKEN") \
      --data-binary @- --output "$response" --write-out '%{http_code} %header{retry-after}'
}

# Three attempts: 429 and 503 are repeated after Retry-After, up to 30 s; a network error once.
network_errors=0
for attempt in 1 2 3; do
  wait=1
  if reply=$(ask); then
    [[ $reply == 429* || $reply == 503* ]] || break
    [[ ${reply#* } =~ ^[0-9]{1,6}$ ]] && wait=${reply#* }
    ((attempt < 3 && wait <= 30)) || break
  else
    ((++network_errors == 1 && attempt < 3)) || fail 'The service cannot be reached.'
  fi
  sleep "$wait"
done
reason='[(.errors // [.])[].detail] | join(" ")'
[[ $reply == 201* ]] || fail "The service rejected the request: $(jq -r "$reason" "$response" 2>/dev/null || echo "HTTP ${reply%% *}")"
grant=$(jq -e . "$response" 2>/dev/null) || fail 'The response of the service is not complete.'

# Two attempts: a network error and a 5xx response are repeated once.
as_curl_options='"request = \(.method | @json)", "url = \(.url | @json)", (.headers | to_entries[] | "header = \("\(.key): \(.value)" | @json)")'
for attempt in 1 2; do
  if sent=$(curl --globoff --progress-bar --show-error --upload-file "$file" --config <(jq -r "$as_curl_options" <<<"$grant") \
    --output "$response" --write-out '%{http_code} %header{etag}'); then
    [[ $sent == 5* ]] || break
  else
    ((attempt < 2)) || fail 'OSS cannot be reached.'
  fi
  sleep $((2 - attempt))
done

element() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$response"; }
case "${sent%% *} $attempt" in
  200*) ;;
  203*) echo 'Stored, but OSS could not notify the application. Do not upload the file again.' >&2 ;;
  '409 2') echo 'Stored by the first attempt, whose response was lost.' >&2 ;;
  *)
    echo "OSS rejected the upload: ${sent%% *} $(element Code): $(element Message)" >&2
    [[ $sent != 409* ]] || echo 'The key is taken: choose another one, or leave KEY out.' >&2
    exit 1
    ;;
esac
echo "key:  $(jq -r .key <<<"$grant")"
[[ $sent == 409* ]] || echo "ETag: ${sent#* }"
