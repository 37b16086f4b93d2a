# The starter: a small shell that the agent starts once, which starts helpers for it. $1 is the shell that helpers run.
#
# Each line of its input is the path of a folder. It makes the two FIFOs of a helper there, starts the helper, and
# answers with the same line (with a "!" before it when that failed). A helper must have a session of its own, and must
# not be a background job: POSIX shells make background jobs ignore SIGINT and SIGQUIT, and nobody can undo that for the
# commands. So setsid is run twice in the foreground: the first makes the second a group leader, which therefore forks,
# and this shell goes on at once.
while IFS= read -r folder; do
  if mkfifo -m 600 "$folder/jobs" "$folder/answers" &&
    setsid setsid "$1" "$folder/jobs" </dev/null >/dev/null 2>&1; then
    echo "$folder"
  else
    echo "!$folder"
  fi
done
