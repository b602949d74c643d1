# shellcheck shell=bash
# What the private servers' start scripts share: who they run as, and where their secrets lie.

set -euo pipefail
umask 077

# say TEXT: one line for the log.
say() { printf '%s\n' "$*" >&2; }

# give_to USER PATH...: root hands files to the user a server runs as; an ordinary user owns them already.
give_to() {
	local user=$1
	shift
	if [ "$(id -u)" = 0 ]; then chown -R "$user:" "$@"; fi
}

# run_as USER COMMAND...: run with USER's rights when we are root, else as we are.
run_as() {
	local user=$1
	shift
	if [ "$(id -u)" = 0 ]; then chpst -u "$user" "$@"; else "$@"; fi
}

# exec_as USER COMMAND...: the same, taking this process over, so that its pid is the server's.
exec_as() {
	local user=$1
	shift
	if [ "$(id -u)" = 0 ]; then exec chpst -u "$user" "$@"; fi
	exec "$@"
}

# secret NAME: the text of one secret; SECRETS is the folder that holds them.
secret() { cat "$SECRETS/$1"; }
