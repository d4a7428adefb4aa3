#!/bin/sh
# A file includes headers of its own floor and of floors below, and no cycle. Decisions and bytes know no sockets, clocks or libraries.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() {
	echo "layers: $*"
	bad=$((bad + 1))
}

floor() {
	case $1 in
	common/base/* | base/*) echo 0 ;;
	common/wire/* | wire/*) echo 1 ;;
	common/net/* | net/* | common/conf/* | conf/* | common/tls/* | tls/* | common/store/* | store/*) echo 2 ;;
	agent/core/* | core/*) echo 3 ;;
	agent/flow/* | flow/*) echo 4 ;;
	agent/front/* | front/*) echo 5 ;;
	sts.h | spfpacket.h) echo 4 ;;
	guard.h) echo 5 ;;
	spflib.h | confine.h) echo 6 ;;
	agent/*) echo 6 ;;
	*) echo 9 ;;
	esac
}

edges=$(mktemp) || exit 1
trap 'rm -f "$edges"' EXIT
for file in common/*/*.[ch] agent/*/*.[ch] agent/*.[ch]; do
	own=$(floor "$file")
	for inc in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
		other=$(floor "$inc")
		[ "$other" -le "$own" ] || complain "$file (floor $own) includes $inc (floor $other)"
		case $file:$inc in
		common/net/*:net/* | common/conf/*:conf/* | common/tls/*:tls/* | common/store/*:store/*) ;;
		common/[nct]*/*:net/* | common/store/*:net/* | common/*:conf/* | common/*:tls/* | common/*:store/* | agent/*:tls/*)
			complain "$file includes its stranger $inc" ;;
		agent/core/*:net/* | agent/core/*:conf/* | agent/core/*:store/*) complain "$file decides and includes $inc" ;;
		agent/mxdirect.c:guard.h | agent/mxdirect-agent.c:*) ;;
		agent/mxdirect.c:*) complain "the guard includes $inc" ;;
		esac
		case $file in
		common/*.h) echo "${file#common/} $inc" >>"$edges" ;;
		agent/*.h) echo "${file#agent/} $inc" >>"$edges" ;;
		esac
	done
done

tsort "$edges" >/dev/null 2>&1 || complain "headers include each other in a cycle: $(tsort "$edges" 2>&1 >/dev/null | tr '\n' ' ')"

forbidden='sys/socket|netdb|poll\.h|ares|gnutls|confuse|lmdb|idn2|syslog|sys/time|signal\.h|unistd|fcntl'
hits=$(grep -nE "^#include <[^>]*($forbidden)" common/base/*.[ch] common/wire/*.[ch] agent/core/*.[ch] | grep -v '^common/base/banned.h')
[ -z "$hits" ] || complain "an effect in base, wire or core: $hits"
hits=$(grep -nE '^ *# *if(def|ndef)? ' common/wire/*.c agent/core/*.c agent/flow/*.c)
[ -z "$hits" ] || complain "a preprocessor condition in wire, core or flow: $hits"
hits=$(grep -nE '\b(printf|fprintf|puts|exit|abort|syslog) *\(' common/*/*.c agent/core/*.c agent/flow/*.c)
[ -z "$hits" ] || complain "a library prints, logs or exits: $hits"

[ "$bad" -eq 0 ] && echo "layers: 1 passed, 0 failed" || echo "layers: 0 passed, $bad failed"
[ "$bad" -eq 0 ]
