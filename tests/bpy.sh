#!/usr/bin/env bash
# Blender as Python modules, one virtual environment for each version that the tests drive, kept between runs. Prints
# the interpreters. With versions named (4.2 4.5 5.0) makes only those; whoever calls it twice waits for the first.
set -euo pipefail

declare -A release=([4.2]=4.2.23 [4.5]=4.5.15 [5.0]=5.0.1)
store="${XDG_CACHE_HOME:-$HOME/.cache}/callboard"
mkdir -p "$store"

interpreter() { # The wheels are for this version of Python alone.
  for candidate in "${BPY_PYTHON:-}" python3.11 python3 python; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Blender's modules need Python 3.11; say where one is with BPY_PYTHON=…" >&2
  return 1
}

make_one() {
  local version=${release[$1]:?"no Blender $1 is tested; one of ${!release[*]}"}
  local folder="$store/bpy-$version"
  exec 9>"$folder.lock"
  flock 9
  if [ ! -e "$folder/.ready" ]; then
    rm -rf "$folder"
    "$(interpreter)" -m venv "$folder"
    "$folder/bin/python" -m pip install -qq --no-cache-dir --disable-pip-version-check "bpy==$version" >&2
    touch "$folder/.ready"
  fi
  flock -u 9
  echo "$folder/bin/python"
}

[ $# -gt 0 ] || set -- 4.2 4.5 5.0
for wanted in "$@"; do
  make_one "$wanted"
done
