# shellcheck shell=bash
# Installing packages from compose/packages without starting the servers among them.

POLICY=/usr/sbin/policy-rc.d

# packages_of GROUP...: names, one a line.
packages_of() {
	local group
	for group in "$@"; do sed -n "s/^$group: *//p" "$PROJECT/compose/packages" | tr -s ' ' '\n'; done
}

missing_packages() {
	local names
	names=$(packages_of "$@" | sort -u)
	# shellcheck disable=SC2016,SC2086 # dpkg-query's own variables; a list of names
	comm -23 <(say "$names") \
		<(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $names 2> /dev/null | sed -n 's/^installed //p' | sort -u)
}

# Debian starts and enables the servers it installs; these are private ones' programs, nothing is to run by itself.
install_quietly() {
	local made='' unit
	if [ ! -e "$POLICY" ]; then
		printf '#!/bin/sh\nexit 101\n' > "$POLICY"
		chmod 755 "$POLICY"
		made=yes
		trap 'rm -f "$POLICY"' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update
	apt-get -q install -y --no-install-recommends "$@"
	if [ -d /run/systemd/system ]; then
		for unit in rabbitmq-server postgresql-15 redis-server runit; do
			if has_word "$*" "$unit"; then systemctl disable "${unit/-15/}" || true; fi
		done
	fi
	if [ -n "$made" ]; then rm -f "$POLICY"; fi
}

add_user() {
	if is_root && ! id carebus > /dev/null 2>&1; then
		useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin carebus
	fi
}

# install_groups GROUP...: a step each time something is missing, silence otherwise.
install_groups() {
	local missing
	missing=$(missing_packages "$@" | tr '\n' ' ')
	if [ -n "$missing" ]; then
		is_root || fail "these packages are missing, and only root can install them:" \
			"  sudo apt-get install --no-install-recommends $missing"
		say "installing: $missing"
		# shellcheck disable=SC2086 # a list of names
		step 'install packages' "$PACKAGE_HINT" install_quietly $missing
	fi
	add_user
}
