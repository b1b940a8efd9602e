#!/usr/bin/env bash
# Runs a command that outlives the connection it was started from, again while it was stopped, and follows its log.
#
#   scripts/detached.sh train python train.py --gin_file=gin/pruned.gin
#
# After SIGTERM train.py ends with 75, or with 143 where it had nothing to save: "run the same command again". Of any
# other end the exit status is the command's.
# Interrupted or cut off, only the following ends: the same call follows again. One command runs at a time; another
# one is refused meanwhile. Its log is runs/detached/NAME.log, here runs/detached/train.log. To stop it:
#
#   kill -- -"$(cat runs/detached/pid)"
set -euo pipefail
(($# > 1)) || { echo "error: usage: scripts/detached.sh NAME COMMAND..." >&2; exit 2; }
readonly log=runs/detached/$1.log lock=runs/detached/lock command=runs/detached/command status=runs/detached/status
shift
mkdir -p runs/detached
touch "$log" # for tail, which may be faster than the command

# Whoever holds the lock runs: the kernel takes it back from a process that dies, however it dies.
exec 9>>"$lock"
if flock --nonblock 9; then
    printf '%q ' "$@" >"$command"
    rm -f "$status"
    # shellcheck disable=SC2016  # expanded by the inner shell
    nohup setsid bash -c '
        status=$1 code=75
        echo $$ >"${status%/*}/pid"
        while ((code == 75)); do
            echo "== $(date --utc +%FT%TZ) ${*:2}"
            "${@:2}" && code=0 || code=$?
            ((code == 143)) && code=75
            ((code == 75)) && sleep "${DETACHED_PAUSE:-10}"
        done
        echo "$code" >"$status"
    ' detached "$status" "$@" >>"$log" 2>&1 </dev/null &
elif [[ $(printf '%q ' "$@") != "$(<"$command")" ]]; then
    echo "error: another command is running: $(<"$command")" >&2
    exit 1
fi
exec 9>&-

flock "$lock" true &
tail --follow=name --lines=10 --pid=$! "$log" || true
wait $!
exit "$(cat "$status" 2>/dev/null || echo 1)"
