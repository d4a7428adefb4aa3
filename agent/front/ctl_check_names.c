/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_names.h"

#include "base/text.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return text_lower(c) >= 'a' && text_lower(c) <= 'z';
}

/* A number of the name, with or without leading zeros. */
static bool has_number(const char *name, unsigned wanted)
{
	for (const char *p = name; *p; p++) {
		if (!is_digit(*p) || (p > name && is_digit(p[-1])))
			continue;
		size_t n = strspn(p, "0123456789");
		uint64_t v;
		if (text_u64((struct span){ p, n }, UINT32_MAX, &v) && v == wanted)
			return true;
	}
	return false;
}

/* "192-0-2-1", "1.2.0.192", "192002001", "c0000201". */
static bool has_octets4(const char *name, const uint8_t *b)
{
	char run[4][20];
	unsigned seen = 0;
	snprintf(run[0], sizeof(run[0]), "%03u%03u%03u%03u", b[0], b[1], b[2], b[3]);
	snprintf(run[1], sizeof(run[1]), "%u%u%u%u", b[0], b[1], b[2], b[3]);
	snprintf(run[2], sizeof(run[2]), "%02x%02x%02x%02x", b[0], b[1], b[2], b[3]);
	snprintf(run[3], sizeof(run[3]), "%03u%03u%03u%03u", b[3], b[2], b[1], b[0]);
	for (size_t i = 0; i < 4; i++)
		if (strlen(run[i]) > 5 && strstr(name, run[i]))
			return true;
	for (size_t i = 0; i < 4; i++)
		seen += has_number(name, b[i]);
	/* Two may be chance ("mail2.dc10"); the last two are what tells neighbours apart. */
	return seen >= 3 && has_number(name, b[3]);
}

/* The last 64 bits, or all that are not zero, in whatever grouping. */
static bool has_octets6(const char *name, const uint8_t *b)
{
	char digits[300], tail[17];
	size_t n = 0;
	for (const char *p = name; *p && n + 1 < sizeof(digits); p++)
		if (is_digit(*p) || (text_lower(*p) >= 'a' && text_lower(*p) <= 'f'))
			digits[n++] = *p;
		else if (*p != '-' && *p != '.' && *p != ':')
			digits[n++] = '/';
	digits[n] = '\0';
	for (size_t i = 0; i < 8; i++)
		snprintf(tail + 2 * i, 3, "%02x", b[8 + i]);
	size_t zeros = strspn(tail, "0");
	return strlen(tail + zeros) > 4 ? strstr(digits, tail + zeros) != NULL
					: strstr(digits, tail) != NULL;
}

/* Standing alone between what are not letters: "ppp12", "dyn-7", but not "poolside". */
static bool has_word(const char *name, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = name; (p = strstr(p, word)); p++)
		if ((p == name || !is_letter(p[-1])) && !is_letter(p[n]))
			return true;
	return false;
}

const char *names_generic(struct arena *a, const char *name, struct ip ip)
{
	static const char *const words[] = { "dynamic", "dyn",      "dsl",        "adsl", "vdsl",
					     "pool",    "dhcp",     "cable",      "ppp",  "pppoe",
					     "client",  "dialup",   "broadband",  "cust", "fiber",
					     "home",    "customer", "residential" };
	bool octets = ip.family == 4 ? has_octets4(name, ip.b) : has_octets6(name, ip.b);
	if (octets)
		return arena_fmt(a, "%s has the numbers of the address in it", name);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has_word(name, words[i]))
			return arena_fmt(a, "%s has the word \"%s\" in it", name, words[i]);
	return NULL;
}

struct dmarc names_dmarc(struct span record)
{
	static const char *const policies[] = { "none", "quarantine", "reject" };
	struct dmarc d = { .found = false };
	struct span rest = record, item, name;
	for (bool first = true; span_cut(&rest, ';', &item); first = false) {
		if (!span_cut(&item, '=', &name))
			name = item;
		name = span_trim(name);
		item = span_trim(item);
		/* RFC 7489 section 6.3: the version comes first, and exactly so. */
		if (first && !(span_equal(name, SPAN("v")) && span_equal(item, SPAN("DMARC1"))))
			break;
		d.found = true;
		if (d.policy || !span_equal_nocase(name, SPAN("p")))
			continue;
		for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
			if (span_equal_nocase(item, span_of(policies[i])))
				d.policy = policies[i];
	}
	return d;
}
