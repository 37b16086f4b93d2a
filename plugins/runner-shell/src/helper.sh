# A helper: a long-lived small shell in a session of its own. It reads its jobs as shell text from a FIFO (its script)
# and runs one command at a time, in the foreground, so that starting one costs a single vfork. When the agent dies, the
# FIFO ends; the helper still waits for its command, writes down how it ended, and only then ends itself.
#
# Standard output is the FIFO to the agent, standard error the journal, a file that outlives the agent:
#   helper <pid> <boot id> <fields of /proc/<pid>/stat>   once, at the start
#   + <attempt> [<streams>]                               a command is about to be started; where its output goes, if
#                                                         not to files of its own
#   <the shell's own processor time>, <that of its children so far>: two lines, before and after each command
#   - <attempt> <status>                                  it has ended ("cd": its working folder could not be entered)
# What is not one of these is said by the shell itself.

# A signal for the command's group reaches this shell, too. Signals with a handler are the default ones for commands.
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2 XCPU XFSZ VTALRM PROF

# Fails where it cannot be written down: nothing is started of which a later agent would not know.
begin() {
  {
    echo "+ $*" && times
  } >&2
}

# The FIFO may have lost its reader: then the journal is all that is needed.
end() {
  {
    times
    echo "- $1 $2"
  } >&2
  echo "$1 $2" 2>/dev/null
}

read -r stat </proc/self/stat
read -r boot </proc/sys/kernel/random/boot_id
echo "helper $$ $boot $stat" >&2
echo "helper $$"
unset stat boot
