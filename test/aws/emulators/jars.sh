#!/usr/bin/env bash
# The jars that a pom.xml names, once, into FOLDER/lib: jars.sh FOLDER POM. A download that hangs is given up and tried again.
set -euo pipefail
[ ! -f "$1/lib/.done" ] || exit 0
mkdir -p "$1"
cp "$2" "$1/pom.xml"
cd "$1"
for _ in 1 2 3; do
  timeout --kill-after=5 150 mvn -B -q -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib < /dev/null && touch lib/.done && exit 0
  echo "the jars of $1 did not come; once more" >&2
done
exit 1
