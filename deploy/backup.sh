#!/bin/sh
# Makes and verifies one backup below a folder, then deletes those older than KEEP_DAYS (14): backup.sh FOLDER
# Nothing old is deleted unless the new one is sound.
set -eu
folder=$1
name=$folder/$(date +%Y-%m-%dT%H%M%S)
here=$(cd "$(dirname "$0")/.." && pwd)
ops() { node --enable-source-maps "$here/dist/apps/ops/src/main.js" "$@"; }

ops backup create "$name"
ops backup verify "$name"
find "$folder" -mindepth 1 -maxdepth 1 -type d -name '20??-??-??T??????' -mtime +"${KEEP_DAYS:-14}" -exec rm -rf {} +
