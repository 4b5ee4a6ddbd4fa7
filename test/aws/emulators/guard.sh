#!/usr/bin/env bash
# Runs an up.sh in a process group of its own and ends the whole group when standard input closes, which it also does when
# the process that holds it dies:  guard.sh WORK UP ARGUMENTS…
set -uo pipefail
work=$1
shift
bash "$@" < /dev/null || exit 1
printf '\nstarted\n' # on a line of its own, whatever was printed before
cat > /dev/null
trap '' TERM
kill -TERM 0
pid=$(cat "$work/pid")
for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.2; done
kill -KILL 0
