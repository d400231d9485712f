#!/usr/bin/env bash
# Import a CSV file with curl alone: the whole protocol in one page.
#   PROVENIQ_KEY=… import.sh FILE.csv MAPPING.json URL TENANT
# The key is read from the environment: on the command line everybody could see it.
# Cells with line breaks in them cannot be cut by `split`; `npx fleet import` can.
set -euo pipefail
file=$1 mapping=$2 api=${3%/}/t/$4/v1/imports
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(umask 077 && printf 'authorization: Bearer %s\n' "${PROVENIQ_KEY:?}" > "$folder/credential")

# call METHOD URL [curl options]: repeats while the answer is "later"; leaves the body in $folder/body.
call() {
  local method=$1 url=$2 status wait
  shift 2
  while :; do
    status=$(curl -sS -X "$method" "$url" -H @"$folder/credential" "$@" \
      -D "$folder/head" -o "$folder/body" -w '%{http_code}' || echo 000)
    case $status in
      200 | 201) return ;;
      202 | 429 | 503 | 000)
        wait=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$folder/head" 2>/dev/null || true)
        sleep "${wait:-2}"
        ;;
      *)
        echo "$method $url answered $status: $(cat "$folder/body")" >&2
        exit 1
        ;;
    esac
  done
}

# 1. Begin. The columns are those of the header; the key makes a repeated request begin nothing new.
columns=$(head -n 1 "$file" | tr -d '\r"' | sed 's/,/","/g')
format='{"type":"csv","delimiter":",","header":"first-chunk","columns":["'$columns'"]}'
call POST "$api" -H 'content-type: application/json' -H "idempotency-key: curl-$$-$(date +%s)" \
  -d '{"source":"curl","format":'"$format"',"mapping":'"$(cat "$mapping")"'}'
id=$(sed -n 's/^{"id":"\([A-Za-z0-9]*\)".*/\1/p' "$folder/body")

# 2. Put the chunks: at most 5,000 rows each, packed, with the digest of what is sent.
split -l 4999 -d -a 5 "$file" "$folder/chunk-"
chunk=0
rows=0
for part in "$folder"/chunk-*; do
  chunk=$((chunk + 1))
  here=$(grep -c '' "$part")
  if [ "$chunk" = 1 ]; then here=$((here - 1)); fi
  gzip -n "$part"
  digest=$(openssl dgst -sha256 -binary "$part.gz" | base64)
  call PUT "$api/$id/chunks/$chunk?firstRow=$((rows + 1))" --data-binary "@$part.gz" \
    -H 'content-type: application/gzip' -H "content-digest: sha-256=:$digest:"
  rows=$((rows + here))
done

# 3. Say that this was all. What was refused, and why, is in errors.csv.
call POST "$api/$id/complete" -H 'content-type: application/json' -d "{\"chunks\":$chunk,\"rows\":$rows}"
cat "$folder/body"
echo
call GET "$api/$id/errors.csv"
cp "$folder/body" "$file.errors.csv"
