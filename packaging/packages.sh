# shellcheck shell=bash disable=SC2034
# Which packages the project needs on Debian 12 and Ubuntu, and how a script gets the missing ones. Sourced, not run.

BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config python3 gperf ca-certificates
	libuv1-dev libmosquitto-dev libjansson-dev libyaml-dev libsqlite3-dev libssl-dev)
RUN_PACKAGES=(mosquitto)
TEST_PACKAGES=(clang clang-format lld libclang-rt-14-dev ccache libcmocka-dev mosquitto-clients curl jq openssl procps iproute2 git
	shellcheck bash-completion man-db python3-yaml python3-jsonschema python3-paho-mqtt python3-websockets)

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "$(basename "$0"): $*"
	exit 1
}

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE…: installs what is missing, without a question; says what it does only when there is something to do.
need_packages() {
	local p missing=() sudo=()
	for p in "$@"; do
		installed "$p" || missing+=("$p")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "needs Debian or Ubuntu (apt-get); please install: ${missing[*]}"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "needs root or sudo to install: ${missing[*]}"
		sudo=(sudo)
	fi
	say "Installing: ${missing[*]}"
	local log
	log=$(mktemp)
	"${sudo[@]}" apt-get update -qq >"$log" 2>&1 || say "apt-get update failed, going on with the package lists that are here"
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		die "could not install: ${missing[*]} (the whole log: $log)"
	}
	rm -f "$log"
}

# build PRESET [CMAKE ARGS…]: configures and builds, quiet unless it fails or takes long.
build() {
	local preset=$1 log=build/$1.log
	shift
	mkdir -p build
	if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
		grep -E 'error|Error|FAILED' "$log" | head -n 20 >&2
		die "the $preset build failed (the whole log: $log)"
	fi
}
