# shellcheck shell=bash disable=SC2034 # names are used by those who read this file
# What the commands of compose/ share: where things lie, ports, steps that explain their failure, supervision.

set -euo pipefail

PROJECT=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
SERVERS='rabbitmq postgres redis'
WORKERS='hospital bloodbank notification appointment'
DOORS=bridge
WATCHERS=topology
SECRET_NAMES='amqp-admin amqp-upstream amqp-operator amqp-hospital amqp-bloodbank amqp-notification amqp-appointment
	amqp-appointment-listener amqp-bridge amqp-bridge-listener postgres-admin postgres-hospital postgres-bloodbank postgres-notification
	postgres-appointment redis-admin redis-hospital redis-bloodbank redis-notification redis-appointment redis-bridge
	idempotency-bridge installation'
SERVICES="$SERVERS $WORKERS $DOORS $WATCHERS"
BLOCK=40 # ports in a block
PORT_FIRST=20000
PORT_LAST=32000 # the kernel takes ports for outgoing connections from above this
START_SECONDS=60
STARTS_MAX=5
STOP_SECONDS=20
PACKAGE_HINT='look at the message above; the package list is compose/packages'

say() { printf '%s\n' "$*"; }
fail() { printf "%s\n" "$@" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has_word() { case " $1 " in *" $2 "*) ;; *) return 1 ;; esac; }

# Can users other than root get there? Servers run as their own users, to whom a folder below a closed one is closed.
is_reachable() {
	local path=$1
	while [ ! -e "$path" ]; do path=$(dirname "$path"); done
	! is_root || setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$path"
}

default_var() {
	if is_reachable "$PROJECT"; then say "$PROJECT/var"; return; fi
	say "/var/lib/carebus-$(printf '%s' "$PROJECT" | sha256sum | cut -c 1-8)"
}

VAR=$(readlink -m "${VAR:-$(default_var)}")
BUILD=${BUILD:-$VAR/build}
SECRETS=$VAR/secrets
LOG=$VAR/log
export VAR

# One command at a time changes a stack; descriptor 9 holds the lock, on the folder itself.
take_lock() {
	exec 9< "$VAR"
	if ! flock -n 9; then
		say "another command is at work on $VAR, waiting for it"
		flock 9
	fi
}

# Makes the folder, takes the lock, and refuses a folder with something else in it.
prepare_var() {
	is_reachable "$(dirname "$VAR")" || fail \
		"the servers run as users of their own, and $VAR lies below a folder that is closed to them;" \
		"give another one: VAR=/srv/carebus $0"
	mkdir -p "$VAR" || fail "can't make $VAR; give a folder of your own: VAR=/path $0"
	[ -w "$VAR" ] || fail "can't write to $VAR; give a folder of your own: VAR=/path $0"
	take_lock
	if [ ! -e "$VAR/.carebus" ] && [ -n "$(ls -A "$VAR")" ]; then fail "$VAR holds something else; give an empty folder"; fi
	chmod 755 "$VAR"
	mkdir -p "$LOG" "$VAR/server" "$VAR/service" "$VAR/state"
	touch "$VAR/.carebus"
}

# --- ports

# Ports that somebody listens on, decimal, one a line.
ports_in_use() {
	awk '$4 == "0A" { split($2, part, ":"); print part[2] }' /proc/net/tcp /proc/net/tcp6 2> /dev/null |
		while read -r port; do say $((16#$port)); done | sort -un
}

# The first port in use of the block at $1, given those in use; fails when there is none.
taken_port() {
	local base=$1 used=$2 port
	for port in $used; do
		if [ "$port" -ge "$base" ] && [ "$port" -lt $((base + BLOCK)) ]; then say "$port"; return 0; fi
	done
	return 1
}

find_block() {
	local base used
	used=$(ports_in_use)
	for ((base = PORT_FIRST; base + BLOCK <= PORT_LAST; base += BLOCK)); do
		if ! taken_port "$base" "$used" > /dev/null; then say "$base"; return; fi
	done
	fail "no free block of $BLOCK ports from $PORT_FIRST up; give one: PORT_BASE=N compose/up"
}

# The block is chosen once and remembered. Descriptor 8 keeps a second stack from choosing the same until we listen.
choose_ports() {
	local file=$VAR/state/port_base
	if [ -n "${PORT_BASE:-}" ] || [ ! -s "$file" ]; then
		exec 8< /tmp
		flock 8
		say "${PORT_BASE:-$(find_block)}" > "$file.new"
		mv "$file.new" "$file"
	fi
	set_ports
}

set_ports() {
	local base
	[ -s "$VAR/state/port_base" ] || fail "nothing has been started in $VAR yet: run compose/up"
	base=$(cat "$VAR/state/port_base")
	export AMQP_PORT=$base DIST_PORT=$((base + 1)) EPMD_PORT=$((base + 2)) MANAGEMENT_PORT=$((base + 3))
	export PROMETHEUS_PORT=$((base + 4)) POSTGRES_PORT=$((base + 5)) REDIS_PORT=$((base + 6)) HTTP_PORT=$((base + 7))
	METRICS_BASE=$((base + 10))
}

# metrics_port WORKER: its place in the list of workers.
metrics_port() {
	local name number=$METRICS_BASE
	for name in $WORKERS; do
		if [ "$name" = "$1" ]; then say "$number"; return; fi
		number=$((number + 1))
	done
	return 1
}

# --- steps

progress() { if [ -t 1 ]; then printf '\r\033[K%s' "$*"; fi; }

# step NAME HINT COMMAND...: run it quietly. When it fails, show the end of what it said, the hint, and leave.
step() {
	local name=$1 hint=$2 log status start=$EPOCHREALTIME
	shift 2
	log=$LOG/${name// /-}.log
	progress "  $name ..."
	set +e
	(set -e; "$@") > "$log" 2>&1 8<&- 9>&-
	status=$?
	set -e
	if [ $status != 0 ]; then
		progress ''
		say "FAILED: $name"
		tail -n 25 "$log" | sed 's/^/    /'
		say "$hint" "(the whole log: $log)"
		exit 1
	fi
	progress ''
	say "$name: $(seconds_since "$start") s"
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

# wait_for SECONDS COMMAND...: poll until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
		sleep 0.1
	done
}

# --- readiness

# http_ready PORT PATH: is it answered by 200?
http_ready() {
	local line=''
	{
		printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
		IFS= read -r -t 2 line <&3
	} 2> /dev/null 3<> "/dev/tcp/127.0.0.1/$1" || return 1
	case $line in *' 200 '*) ;; *) return 1 ;; esac
}

# It listens before it can serve, so ask for a protocol header.
rabbitmq_ready() {
	local byte=''
	{
		printf 'AMQP\0\0\011\001' >&3
		IFS= read -r -t 2 -N 1 byte <&3
	} 2> /dev/null 3<> "/dev/tcp/127.0.0.1/$AMQP_PORT" || return 1
	[ -n "$byte" ]
}

# is_ready SERVICE
is_ready() {
	case $1 in
	rabbitmq) rabbitmq_ready ;;
	postgres) pg_isready -q -h 127.0.0.1 -p "$POSTGRES_PORT" ;;
	redis) redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2> /dev/null | grep -qE 'PONG|NOAUTH' ;;
	bridge) http_ready "$HTTP_PORT" /readyz ;;
	topology) service_pid topology > /dev/null ;;
	*) http_ready "$(metrics_port "$1")" /readyz ;;
	esac
} 2> /dev/null

# --- supervision

# service_pid NAME: of the running service; fails when it is down.
service_pid() { grep -s . "$VAR/service/$1/supervise/pid"; }

supervisor_pid() {
	local pid
	pid=$(cat "$VAR/state/supervisor.pid" 2> /dev/null) || return 1
	[ "$(readlink "/proc/$pid/cwd" 2> /dev/null)" = "$VAR/service" ] && say "$pid"
}

# Pids of everything that this stack started and that still runs.
stack_pids() {
	local name pid
	for name in $SERVICES; do
		pid=$(cat "$VAR/state/$name.pid" 2> /dev/null) || continue
		if [ "$(readlink "/proc/$pid/cwd" 2> /dev/null)" = "$VAR/server/$name" ]; then say "$pid"; fi
	done
	grep -slzxF "CAREBUS_VAR=$VAR" /proc/[0-9]*/environ | cut -d / -f 3 | grep -vx "$$" || true
}

known_service() {
	has_word "$SERVICES" "$1" || fail "there is no service '$1'; there are: $SERVICES"
}

# --- addresses

# KEY=VALUE for whoever talks to the stack; passwords inside.
stack_addresses() {
	local amqp=127.0.0.1:$AMQP_PORT/carebus admin
	admin=$(cat "$SECRETS/amqp-admin")
	say "CAREBUS_HTTP=http://127.0.0.1:$HTTP_PORT"
	say "CAREBUS_AMQP=amqp://upstream:$(cat "$SECRETS/amqp-upstream")@$amqp"
	say "CAREBUS_AMQP_ADMIN=amqp://admin:$admin@$amqp"
	say "CAREBUS_MANAGEMENT=http://admin:$admin@127.0.0.1:$MANAGEMENT_PORT"
	say "CAREBUS_POSTGRES=postgresql://postgres:$(cat "$SECRETS/postgres-admin")@127.0.0.1:$POSTGRES_PORT/postgres"
	say "CAREBUS_REDIS=redis://admin:$(cat "$SECRETS/redis-admin")@127.0.0.1:$REDIS_PORT/0"
	say "CAREBUS_TOKEN=$(cat "$SECRETS/token-demo")"
}
