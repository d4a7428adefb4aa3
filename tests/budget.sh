#!/bin/sh
# Budget of the source: function 60 lines, file 600, parameters 6 (HACKING); a test for each module.
set -u
cd "$(dirname "$0")/.." || exit 1
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

for file in common/*/*.[ch] agent/*/*.[ch] agent/*.[ch] tests/tools/*.[ch]; do
	[ -e "$file" ] || continue
	lines=$(wc -l <"$file")
	[ "$lines" -le 600 ] || echo "$file: $lines lines" >>"$out"
	awk -v file="$file" '
		# A function starts at "{" in column 1 and ends at "}" in column 1; its head is the lines before.
		/^\{/ { start = NR; next }
		/^\}/ && start { if (NR - start - 1 > 60) print file ":" start ": function of " NR - start - 1 " lines"; start = 0 }
	' "$file" >>"$out"
	# Parameters: a declaration or definition with more than five commas at depth one, before "{" or ";".
	awk -v file="$file" '
		/^[a-zA-Z].*\(/ { head = $0; line = NR; while (head !~ /\)[^)]*[;{]?$/ && (getline more) > 0) head = head more
			if (head ~ /^(#|typedef|struct [a-z_]+ \{|enum)/ || head ~ /=/) next
			sub(/^[^(]*\(/, "", head); sub(/\)[^)]*$/, "", head); depth = 0; commas = 0
			for (i = 1; i <= length(head); i++) { c = substr(head, i, 1)
				if (c == "(") depth++; else if (c == ")") depth--; else if (c == "," && depth == 0) commas++ }
			if (commas > 5) print file ":" line ": " commas + 1 " parameters" }
	' "$file" >>"$out"
done

# flow/lookup, attempt, delivery, notes and tlspolicy and front/pipe are tested by scenarios: they have no decisions of their own. The files
# of core/dialog and of flow/memory are one module each.
for file in common/*/*.c agent/core/*.c agent/flow/*.c agent/front/*.c; do
	module=$(basename "$file" .c)
	case $module in
	lookup | attempt | delivery | delivery_notes | notes | tlspolicy | pipe) continue ;;
	ctl_plan_*) module=ctl_plan ;;
	dialog_*) module=dialog ;;
	memory_*) module=memory ;;
	records_*) module=records ;;
	esac
	[ -e "tests/unit/test_$module.c" ] || echo "$file: no tests/unit/test_$module.c" >>"$out"
done

cat "$out"
bad=$(wc -l <"$out")
[ "$bad" -eq 0 ] && echo "budget: 1 passed, 0 failed" || echo "budget: 0 passed, $bad failed"
[ "$bad" -eq 0 ]
