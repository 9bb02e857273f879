#!/usr/bin/env bash
# Programs that the tests drive: speech and pictures to make media with, strace to see which files are opened,
# exiftool to read what we write, openssl to stamp signatures with a time, Apertium to translate, Kdenlive with a
# display and a bus of its own, melt, Blender with its window, and LuaJIT, which DaVinci Resolve runs its Lua scripts
# with.
set -euo pipefail

missing=()
for program in blender espeak-ng exiftool ffmpeg luajit openssl sox strace xauth; do
  command -v "$program" >/dev/null || missing+=("${program/#exiftool/libimage-exiftool-perl}")
done
for program in dbus-daemon kdenlive mediainfo melt Xvfb; do
  command -v "$program" >/dev/null || missing+=("$(sed 's/^dbus-daemon$/dbus/; s/^Xvfb$/xvfb/' <<<"$program")")
done
# Without these effects, or mediainfo, Kdenlive begins with a dialog that waits for a person.
[ -d /usr/lib/frei0r-1 ] || missing+=(frei0r-plugins)
modes=$(apertium -l 2>/dev/null || true)
for pair in eng-spa eng-cat es-pt spa-ita fra-cat; do
  grep -qw -- "$pair" <<<"$modes" || missing+=("apertium-$pair")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "The tests need ${missing[*]}. On Debian and Ubuntu: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
