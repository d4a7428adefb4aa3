/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire/addr.h"
#include "core/config_value.h"

#define DNS_PORT 53

struct unit {
	const char *name;
	uint64_t times;
};
/* Largest first; the one without name, for a bare number, last. */
static const struct unit time_units[] = { { "d", CONFIG_DAY }, { "h", CONFIG_HOUR },
					  { "m", CONFIG_MIN }, { "s", CONFIG_SEC },
					  { "ms", CONFIG_MS }, { "", CONFIG_SEC } };
static const struct unit size_units[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "", 1 }
};
static const struct unit no_units[] = { { "", 1 } };

struct scale {
	const char *what;
	const struct unit *unit;
	size_t n;
};

static struct scale scale_of(enum config_type type)
{
	if (type == CONFIG_TIME)
		return (struct scale){ "a time (ms s m h d)", time_units, 6 };
	if (type == CONFIG_SIZE)
		return (struct scale){ "a size (K M G)", size_units, 4 };
	return (struct scale){ "a number", no_units, 1 };
}

/* One value on its way to its field. */
struct assign {
	const struct config_key *key;
	struct arena *a; /* may be NULL where nothing is copied */
	struct error *err;
};

static bool refuse(const struct assign *as, struct span text, const char *why)
{
	int n = text.n > 100 ? 100 : (int)text.n;
	return err_set(as->err, ERR_CONFIG, ESC(4, 3, 5), "%s: \"%.*s\" is %s", as->key->name, n,
		       n ? text.p : "", why);
}

static bool refuse_form(const struct assign *as, struct span text, const char *form)
{
	char why[60];
	snprintf(why, sizeof(why), "not %s", form);
	return refuse(as, text, why);
}

static void show_amount(struct scale s, uint64_t value, char out[static 32])
{
	size_t i = 0;
	while (i + 1 < s.n && (value < s.unit[i].times || value % s.unit[i].times != 0))
		i++;
	snprintf(out, 32, "%" PRIu64 "%s", value / s.unit[i].times, s.unit[i].name);
}

static bool refuse_range(const struct assign *as, struct span text)
{
	struct scale s = scale_of(as->key->type);
	char min[32], max[32], why[100];
	show_amount(s, as->key->min, min);
	show_amount(s, as->key->max, max);
	snprintf(why, sizeof(why), "out of range (%s to %s)", min, max);
	return refuse(as, text, why);
}

static bool read_amount(const struct assign *as, struct span text, uint64_t *ret)
{
	struct scale s = scale_of(as->key->type);
	size_t digits = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	struct span unit = { text.p + digits, text.n - digits };
	uint64_t value;
	size_t i = 0;
	while (i < s.n && !span_equal(unit, span_of(s.unit[i].name)))
		i++;
	if (i == s.n || !text_u64((struct span){ text.p, digits }, UINT64_MAX, &value))
		return refuse_form(as, text, s.what);
	if (__builtin_mul_overflow(value, s.unit[i].times, &value) || value < as->key->min ||
	    value > as->key->max)
		return refuse_range(as, text);
	*ret = value;
	return true;
}

static bool read_choice(const struct assign *as, struct span text, int *ret)
{
	char why[100] = "none of";
	for (int i = 0; as->key->words[i]; i++) {
		if (span_equal(text, span_of(as->key->words[i]))) {
			*ret = i;
			return true;
		}
		size_t n = strlen(why);
		snprintf(why + n, sizeof(why) - n, " %s", as->key->words[i]);
	}
	return refuse(as, text, why);
}

static bool read_name(const struct assign *as, struct span text, const char **ret)
{
	struct ip ip;
	if (text.n > 0 && !domain_valid(text) && !addr_literal(text, &ip))
		return refuse_form(as, text, "a domain name (A-labels) or an address literal");
	const char *copy = arena_str(as->a, text);
	if (!copy)
		return err_nomem(as->err);
	*ret = copy;
	return true;
}

/* Nobody knows the directory in which a run starts: a path is absolute. */
static bool is_path(const struct assign *as, struct span text)
{
	return text.n > 0 ? text.p[0] == '/' : as->key->min == 0;
}

static bool read_text(const struct assign *as, struct span text, const char **ret)
{
	char why[60];
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return refuse_form(as, text, "printable");
	if (as->key->type == CONFIG_PATH && !is_path(as, text))
		return refuse_form(as, text, "an absolute path");
	if (text.n > as->key->max) {
		snprintf(why, sizeof(why), "longer than %" PRIu64 " bytes", as->key->max);
		return refuse(as, text, why);
	}
	const char *copy = arena_str(as->a, text);
	if (!copy)
		return err_nomem(as->err);
	*ret = copy;
	return true;
}

static bool read_bool(const struct assign *as, struct span text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_equal(text, span_of(words[i]))) {
			*ret = i % 2 == 1;
			return true;
		}
	}
	return refuse_form(as, text, "yes or no");
}

static bool read_ip(const struct assign *as, struct span text, struct ip *ret)
{
	struct ip ip = { 0 };
	if (text.n > 0 && !ip_parse(text, &ip))
		return refuse_form(as, text, "an IP address");
	*ret = ip;
	return true;
}

static bool read_scalar(const struct assign *as, struct span text, void *field)
{
	uint64_t amount = 0;
	switch (as->key->type) {
	case CONFIG_NAME:
		return read_name(as, text, field);
	case CONFIG_CHOICE:
		return read_choice(as, text, field);
	case CONFIG_BOOL:
		return read_bool(as, text, field);
	case CONFIG_TEXT:
	case CONFIG_PATH:
		return read_text(as, text, field);
	case CONFIG_IP:
		return read_ip(as, text, field);
	case CONFIG_ENDPOINTS:
	case CONFIG_NETWORKS:
	case CONFIG_TEXTS:
		return BUG(as->err, "a list is no scalar");
	case CONFIG_PORT:
		if (!read_amount(as, text, &amount))
			return false;
		*(uint16_t *)field = (uint16_t)amount;
		return true;
	case CONFIG_TIME:
		if (!read_amount(as, text, &amount))
			return false;
		*(int64_t *)field = (int64_t)amount;
		return true;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
		return read_amount(as, text, field);
	}
	return BUG(as->err, "a type without a reader");
}

static bool read_endpoints(const struct assign *as, const char *const *value, size_t n, void *field)
{
	struct endpoint *e = ARENA_NEW(as->a, struct endpoint, n);
	if (!e)
		return err_nomem(as->err);
	for (size_t i = 0; i < n; i++)
		if (!endpoint_parse(span_of(value[i]), DNS_PORT, &e[i]))
			return refuse_form(as, span_of(value[i]),
					   "an IP address with or without port");
	*(const struct endpoint **)field = e;
	return true;
}

static bool read_networks(const struct assign *as, const char *const *value, size_t n, void *field)
{
	struct ip_net *net = ARENA_NEW(as->a, struct ip_net, n);
	if (!net)
		return err_nomem(as->err);
	for (size_t i = 0; i < n; i++)
		if (!ip_net_parse(span_of(value[i]), &net[i]))
			return refuse_form(as, span_of(value[i]), "a network (ADDRESS/BITS)");
	*(const struct ip_net **)field = net;
	return true;
}

static bool read_texts(const struct assign *as, const char *const *value, size_t n, void *field)
{
	const char **text = ARENA_NEW(as->a, const char *, n);
	if (!text)
		return err_nomem(as->err);
	for (size_t i = 0; i < n; i++)
		if (!read_text(as, span_of(value[i]), &text[i]))
			return false;
	*(const char *const **)field = text;
	return true;
}

static bool read_items(const struct assign *as, const char *const *value, size_t n, void *field)
{
	switch (as->key->type) {
	case CONFIG_ENDPOINTS:
		return read_endpoints(as, value, n, field);
	case CONFIG_NETWORKS:
		return read_networks(as, value, n, field);
	case CONFIG_TEXTS:
		return read_texts(as, value, n, field);
	default:
		return BUG(as->err, "a scalar is no list");
	}
}

static bool read_list(const struct assign *as, const char *const *value, size_t n, void *object)
{
	if (n == 1 && value[0][0] == '\0')
		n = 0;
	if (n > LIMIT_LIST)
		return err_set(as->err, ERR_CONFIG, ESC(4, 3, 5), "%s: more than %d values",
			       as->key->name, LIMIT_LIST);
	if (!read_items(as, value, n, (char *)object + as->key->field))
		return false;
	*(size_t *)(void *)((char *)object + as->key->nfield) = n;
	return true;
}

const struct config_key *config_value_key(const struct config_key *table, size_t nkeys,
					  struct span name)
{
	for (size_t i = 0; i < nkeys; i++)
		if (span_equal(name, span_of(table[i].name)))
			return &table[i];
	return NULL;
}

static bool is_string(enum config_type type)
{
	return type == CONFIG_NAME || type == CONFIG_TEXT || type == CONFIG_PATH;
}

void config_value_init(const struct config_key *table, size_t nkeys, void *object)
{
	struct error err;
	for (size_t i = 0; i < nkeys; i++) {
		void *field = (char *)object + table[i].field;
		if (is_string(table[i].type))
			*(const char **)field = table[i].default_text;
		else if (!table[i].list)
			/* The defaults are right: the unit tests set each of them. */
			(void)read_scalar(&(struct assign){ &table[i], NULL, &err },
					  span_of(table[i].default_text), field);
	}
}

bool config_value_set(struct arena *a, const struct config_key *key, void *object,
		      const char *const *value, size_t n, struct error *err)
{
	const struct assign as = { key, a, err };
	if (key->list)
		return read_list(&as, value, n, object);
	if (n != 1)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: takes one value", key->name);
	return read_scalar(&as, span_of(value[0]), (char *)object + key->field);
}

static const char *text_of_ip(struct arena *a, struct ip ip)
{
	char text[IP_TEXT] = "";
	if (ip.family != 0)
		ip_format(ip, text);
	return arena_str(a, span_of(text));
}

static const char *text_of_item(struct arena *a, const struct config_key *key, const void *list,
				size_t i)
{
	char text[IP_TEXT];
	if (key->type == CONFIG_TEXTS)
		return ((const char *const *)list)[i];
	if (key->type == CONFIG_ENDPOINTS) {
		const struct endpoint *e = (const struct endpoint *)list + i;
		ip_format(e->ip, text);
		return arena_fmt(a, e->ip.family == 6 ? "[%s]:%u" : "%s:%u", text,
				 (unsigned)e->port);
	}
	const struct ip_net *net = (const struct ip_net *)list + i;
	ip_format(net->ip, text);
	return arena_fmt(a, "%s/%u", text, (unsigned)net->bits);
}

static const char *text_of_list(struct arena *a, const struct config_key *key, const void *object)
{
	const void *list = *(const void *const *)(const void *)((const char *)object + key->field);
	size_t n = *(const size_t *)(const void *)((const char *)object + key->nfield);
	const char *text = "";
	for (size_t i = 0; text && i < n; i++) {
		const char *item = text_of_item(a, key, list, i);
		text = item ? arena_fmt(a, "%s%s%s", text, i ? ", " : "", item) : NULL;
	}
	return text;
}

static const char *text_of_amount(struct arena *a, const struct config_key *key, uint64_t amount)
{
	char text[32];
	show_amount(scale_of(key->type), amount, text);
	return arena_str(a, span_of(text));
}

const char *config_value_text(struct arena *a, const struct config_key *key, const void *object)
{
	const void *field = (const char *)object + key->field;
	switch (key->type) {
	case CONFIG_NAME:
	case CONFIG_TEXT:
	case CONFIG_PATH:
		return *(const char *const *)field;
	case CONFIG_PORT:
		return text_of_amount(a, key, *(const uint16_t *)field);
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
		return text_of_amount(a, key, *(const uint64_t *)field);
	case CONFIG_TIME:
		return text_of_amount(a, key, (uint64_t) * (const int64_t *)field);
	case CONFIG_CHOICE:
		return key->words[*(const int *)field];
	case CONFIG_BOOL:
		return *(const bool *)field ? "yes" : "no";
	case CONFIG_IP:
		return text_of_ip(a, *(const struct ip *)field);
	case CONFIG_ENDPOINTS:
	case CONFIG_NETWORKS:
	case CONFIG_TEXTS:
		break;
	}
	return text_of_list(a, key, object);
}
