/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/text.h"

bool ip_parse(struct span s, struct ip *ret)
{
	char text[IP_TEXT];
	struct ip ip = { 0 };
	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, ip.b) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, text, ip.b) == 1)
		ip.family = 6;
	else
		return false;
	*ret = ip;
	return true;
}

void ip_format(struct ip ip, char out[static IP_TEXT])
{
	out[0] = '\0';
	if (ip.family != 0)
		inet_ntop(ip.family == 4 ? AF_INET : AF_INET6, ip.b, out, IP_TEXT);
}

static size_t size_of(struct ip ip)
{
	return ip.family == 4 ? 4 : ip.family == 6 ? 16 : 0;
}

bool ip_equal(struct ip a, struct ip b)
{
	return a.family == b.family && memcmp(a.b, b.b, size_of(a)) == 0;
}

bool ip_net_parse(struct span s, struct ip_net *ret)
{
	struct ip_net net;
	struct span head;
	bool has_bits = s.n > 0 && memchr(s.p, '/', s.n);
	if (!span_cut(&s, '/', &head) || !ip_parse(head, &net.ip))
		return false;
	uint64_t most = size_of(net.ip) * 8, bits = most;
	if (has_bits && !text_u64(s, most, &bits))
		return false;
	net.bits = (uint8_t)bits;
	*ret = net;
	return true;
}

bool ip_net_has(struct ip_net net, struct ip ip)
{
	size_t whole = net.bits / 8, rest = net.bits % 8;
	if (ip.family != net.ip.family || memcmp(ip.b, net.ip.b, whole) != 0)
		return false;
	return rest == 0 || (ip.b[whole] ^ net.ip.b[whole]) >> (8 - rest) == 0;
}

struct ip ip_unwrap(struct ip ip)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t six_to_four[2] = { 0x20, 0x02 };
	const uint8_t *hidden = NULL;
	if (ip.family != 6)
		return ip;
	if (memcmp(ip.b, mapped, 12) == 0 || memcmp(ip.b, nat64, 12) == 0)
		hidden = ip.b + 12;
	else if (memcmp(ip.b, six_to_four, 2) == 0)
		hidden = ip.b + 2;
	if (!hidden)
		return ip;
	struct ip v4 = { .family = 4 };
	memcpy(v4.b, hidden, 4);
	return v4;
}

bool ip_private(struct ip ip)
{
	static const struct ip_net nets[] = {
		{ { 4, { 10 } }, 8 },          { { 4, { 172, 16 } }, 12 },
		{ { 4, { 192, 168 } }, 16 },   { { 4, { 169, 254 } }, 16 },
		{ { 4, { 100, 64 } }, 10 },    { { 6, { 0xfc } }, 7 },
		{ { 6, { 0xfe, 0x80 } }, 10 },
	};
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (ip_net_has(nets[i], ip))
			return true;
	return false;
}

void ip_reverse(struct ip ip, char out[static IP_REVERSE])
{
	struct buf b;
	buf_init(&b, out, IP_REVERSE);
	for (size_t i = size_of(ip); i-- > 0;) {
		unsigned byte = ip.b[i];
		if (ip.family == 4)
			buf_addf(&b, "%u.", byte);
		else
			buf_addf(&b, "%x.%x.", byte & 15, byte >> 4);
	}
	buf_addf(&b, ip.family == 4 ? "in-addr.arpa" : "ip6.arpa");
	buf_cstr(&b);
}

/* Take the address apart from what follows it: nothing, or a colon and a port. */
static bool split(struct span s, struct span *ret_ip, struct span *ret_port)
{
	const char *first = s.n ? memchr(s.p, ':', s.n) : NULL;
	const char *last = s.n ? memrchr(s.p, ':', s.n) : NULL;
	*ret_port = (struct span){ 0 };
	if (s.n && s.p[0] == '[') {
		s.p++;
		s.n--;
		if (!memchr(s.p, ']', s.n) || !span_cut(&s, ']', ret_ip))
			return false;
		*ret_port = s;
	} else if (first && first == last) {
		*ret_ip = (struct span){ s.p, (size_t)(first - s.p) };
		*ret_port = (struct span){ first, s.n - ret_ip->n };
	} else {
		*ret_ip = s;
	}
	return ret_port->n == 0 || ret_port->p[0] == ':';
}

bool endpoint_parse(struct span s, uint16_t default_port, struct endpoint *ret)
{
	struct endpoint e;
	struct span ip, port;
	uint64_t number = default_port;
	if (!split(s, &ip, &port) || !ip_parse(ip, &e.ip))
		return false;
	if (port.n > 0 &&
	    (!text_u64((struct span){ port.p + 1, port.n - 1 }, UINT16_MAX, &number) ||
	     number == 0))
		return false;
	e.port = (uint16_t)number;
	*ret = e;
	return true;
}

void endpoint_format(struct endpoint e, char out[static ENDPOINT_TEXT])
{
	char ip[IP_TEXT];
	ip_format(e.ip, ip);
	snprintf(out, ENDPOINT_TEXT, "[%s]:%u", ip, (unsigned)e.port);
}
