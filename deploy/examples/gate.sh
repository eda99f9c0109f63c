#!/bin/sh
# A step of a pipeline: lets a model folder in, or ends with the reasons.
#
#   COUNTERSIGN_URL=https://countersign.example COUNTERSIGN_TOKEN=… gate.sh FOLDER USE_CASE ENVIRONMENT [ALIAS]
#
# The token is one of a service account; the right attestation:read is enough for it.
set -eu

folder=${1:?the folder of the model}
use_case=${2:?the short name of the use case}
environment=${3:?the environment, such as production}
alias=${4:-champion}
: "${COUNTERSIGN_URL:?the address of Countersign}" "${COUNTERSIGN_TOKEN:?a token}"

attempt=1
while :; do
  code=0
  # Several words when the command is `node dist/main.js` or `docker run …`.
  # shellcheck disable=SC2086
  ${COUNTERSIGN_COMMAND:-npx countersign} gate "$folder" \
    --server "$COUNTERSIGN_URL" --use-case "$use_case" --environment "$environment" --alias "$alias" || code=$?
  # 0 passes and 1 is a refusal; 2 means that it could not be found out, which may pass by itself.
  if [ "$code" -ne 2 ] || [ "$attempt" -ge 3 ]; then exit "$code"; fi
  attempt=$((attempt + 1))
  sleep "${GATE_PAUSE_SECONDS:-5}"
done
