# The starter: a small shell that the agent starts once, which starts helpers for it. $1 is the shell that helpers run.
#
# Each line of its input is an order:
#   make <folder>    makes the two FIFOs of a helper there
#   start <folder>   starts the helper. The agent has the other ends open by then, or this would leave a helper behind
#                    that waits for them for ever
# It answers with the same line, with a "!" before it when that failed.
#
# A helper must have a session of its own, and must not be a background job: POSIX shells make background jobs ignore
# SIGINT and SIGQUIT, and nobody can undo that for the commands. So setsid is run twice in the foreground: the first
# makes the second a group leader, which therefore forks, and this shell goes on at once. The FIFO of the answers is
# opened for both directions, which never waits.
while read -r order folder; do
  case $order in
    make) mkfifo -m 600 "$folder/jobs" "$folder/answers" 2>/dev/null ;;
    start) setsid setsid "$1" "$folder/jobs" </dev/null 1<>"$folder/answers" 2>>"$folder/journal" ;;
  esac && echo "$order $folder" || echo "!$order $folder"
done
