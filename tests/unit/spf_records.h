/* SPDX-License-Identifier: ISC */
/* The domains of test_spf. */
#ifndef TESTS_SPF_RECORDS_H
#define TESTS_SPF_RECORDS_H

#include "spf_zone.h"

#define TXT DNS_TXT
#define V4  "192.0.2.1"
#define V6  "2001:db8::1"

#define MUCH "%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}"

/* 127 macros and 100 bytes: libspf2 1.2.10 writes past a buffer for it. */
#define CVE_2023_42118                                                                             \
	MUCH MUCH MUCH MUCH MUCH MUCH "%{i}%{i}%{i}%{i}%{i}%{i}%{i}"                               \
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"         \
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* From 3.5 kB on a record of one term does it, too. */
#define VERY_MUCH                                                                                  \
	MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH  \
		MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH    \
			MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH MUCH

static const struct zone_record zone[] = {
	{ "p.test", TXT, "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all" },
	{ "alone.test", TXT, "v=spf1" },
	{ "neutral.test", TXT, "v=spf1 ip4:192.0.2.1" },
	{ "others.test", TXT, "google-site-verification=x" },
	{ "others.test", TXT, "v=spf1 ip4:192.0.2.1 -all" },
	{ "others.test", TXT, "v=spf10 +all" },
	{ "none.test", TXT, "hello" },
	{ "empty.test", ZONE_EMPTY, "" },
	{ "two.test", TXT, "v=spf1 -all" },
	{ "two.test", TXT, "v=spf1 +all" },
	{ "fail.test", ZONE_FAIL, "16" },
	{ "upper.test", TXT, "V=SPF1 IP4:192.0.2.1 -ALL" },
	{ "spaces.test", TXT, "v=spf1   ip4:192.0.2.1   -all  " },
	{ "many.test", TXT,
	  "v=spf1 ip4:10.0.0.1 ip4:10.0.0.2 ip4:10.0.0.3 ip4:10.0.0.4 ip4:10.0.0.5 ip4:10.0.0.6 "
	  "ip4:10.0.0.7 ip4:10.0.0.8 ip4:10.0.0.9 ip4:10.0.1.1 ip4:10.0.1.2 ip4:10.0.1.3 "
	  "ip4:10.0.1.4 ip4:10.0.1.5 ip4:10.0.1.6 ip4:10.0.1.7 ip4:10.0.1.8 ip4:10.0.1.9 "
	  "ip4:10.0.2.1 ip4:10.0.2.2 ip4:10.0.2.3 ip4:10.0.2.4 ip4:10.0.2.5 ip4:10.0.2.6 "
	  "ip4:10.0.3.1 ip4:10.0.3.2 ip4:10.0.3.3 ip4:10.0.3.4 ip4:10.0.3.5 ip4:10.0.3.6 "
	  "ip4:10.0.4.1 ip4:10.0.4.2 ip4:10.0.4.3 ip4:10.0.4.4 ip4:10.0.4.5 ip4:10.0.4.6 "
	  "ip4:10.0.5.1 ip4:10.0.5.2 ip4:10.0.5.3 ip4:10.0.5.4 ip4:10.0.5.5 ip4:10.0.5.6 "
	  "ip4:10.0.6.1 ip4:10.0.6.2 ip4:10.0.6.3 ip4:10.0.6.4 ip4:10.0.6.5 ip4:10.0.6.6 "
	  "ip4:10.0.7.1 ip4:10.0.7.2 ip4:10.0.7.3 ip4:10.0.7.4 ip4:10.0.7.5 ip4:10.0.7.6 "
	  "ip4:10.0.8.1 ip4:10.0.8.2 ip4:10.0.8.3 ip4:10.0.8.4 ip4:10.0.8.5 ip4:10.0.8.6 "
	  "ip4:192.0.2.1 -all" },

	/* Each mechanism with each qualifier. */
	{ "all-pass.test", TXT, "v=spf1 +all" },
	{ "all-fail.test", TXT, "v=spf1 -all" },
	{ "all-softfail.test", TXT, "v=spf1 ~all" },
	{ "all-neutral.test", TXT, "v=spf1 ?all" },
	{ "ip4-pass.test", TXT, "v=spf1 +ip4:192.0.2.0/24 -all" },
	{ "ip4-fail.test", TXT, "v=spf1 -ip4:192.0.2.0/24 +all" },
	{ "ip4-softfail.test", TXT, "v=spf1 ~ip4:192.0.2.0/24 +all" },
	{ "ip4-neutral.test", TXT, "v=spf1 ?ip4:192.0.2.0/24 +all" },
	{ "ip6-pass.test", TXT, "v=spf1 +ip6:2001:db8::/32 -all" },
	{ "ip6-fail.test", TXT, "v=spf1 -ip6:2001:db8::/32 +all" },
	{ "ip6-softfail.test", TXT, "v=spf1 ~ip6:2001:db8::/32 +all" },
	{ "ip6-neutral.test", TXT, "v=spf1 ?ip6:2001:db8::/32 +all" },
	{ "ip6-long.test", TXT, "v=spf1 ip6:2001:0db8:0000:0000:0000:0000:0000:0001/128 -all" },
	{ "a-pass.test", TXT, "v=spf1 +a:h.test -all" },
	{ "a-fail.test", TXT, "v=spf1 -a:h.test +all" },
	{ "a-softfail.test", TXT, "v=spf1 ~a:h.test +all" },
	{ "a-neutral.test", TXT, "v=spf1 ?a:h.test +all" },
	{ "a-self.test", TXT, "v=spf1 a -all" },
	{ "a-self.test", DNS_A, V4 },
	{ "a-cidr.test", TXT, "v=spf1 a:near.test/24//64 -all" },
	{ "a-narrow.test", TXT, "v=spf1 a:near.test/32//128 -all" },
	{ "a-dot.test", TXT, "v=spf1 a:h.test. -all" },
	{ "near.test", DNS_A, "192.0.2.77" },
	{ "near.test", DNS_AAAA, "2001:db8::77" },
	{ "h.test", DNS_A, "198.51.100.1" },
	{ "h.test", DNS_A, V4 },
	{ "h.test", DNS_AAAA, V6 },
	{ "mx-pass.test", TXT, "v=spf1 +mx -all" },
	{ "mx-pass.test", DNS_MX, "h.test" },
	{ "mx-fail.test", TXT, "v=spf1 -mx:mx-pass.test +all" },
	{ "mx-softfail.test", TXT, "v=spf1 ~mx:mx-pass.test +all" },
	{ "mx-neutral.test", TXT, "v=spf1 ?mx:mx-pass.test +all" },
	{ "mx-cidr.test", TXT, "v=spf1 mx/24//64 -all" },
	{ "mx-cidr.test", DNS_MX, "near.test" },
	{ "mx-null.test", TXT, "v=spf1 mx -all" },
	{ "mx-null.test", DNS_MX, "" },
	{ "mx10.test", TXT, "v=spf1 mx -all" },
	{ "mx10.test", DNS_MX, "#10 elsewhere.test" },
	{ "mx11.test", TXT, "v=spf1 mx -all" },
	{ "mx11.test", DNS_MX, "#11 elsewhere.test" },
	{ "mx11-early.test", TXT, "v=spf1 mx -all" },
	{ "mx11-early.test", DNS_MX, "#11 here.test" },
	{ "*.elsewhere.test", DNS_A, "198.51.100.7" },
	{ "h1.here.test", DNS_A, V4 },
	{ "ptr-pass.test", TXT, "v=spf1 +ptr:ptr.test -all" },
	{ "ptr-fail.test", TXT, "v=spf1 -ptr:ptr.test +all" },
	{ "ptr-softfail.test", TXT, "v=spf1 ~ptr:ptr.test +all" },
	{ "ptr-neutral.test", TXT, "v=spf1 ?ptr:ptr.test +all" },
	{ "ptr-else.test", TXT, "v=spf1 ptr -all" },
	{ "1.2.0.192.in-addr.arpa", DNS_PTR, "host.ptr.test" },
	{ "host.ptr.test", DNS_A, V4 },
	{ "host.ptr.test", DNS_AAAA, V6 },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", DNS_PTR,
	  "host.ptr.test" },
	{ "2.2.0.192.in-addr.arpa", DNS_PTR, "#11 crowd.test" },
	{ "h10.crowd.test", DNS_A, "192.0.2.2" },
	{ "h11.crowd.test", DNS_A, "192.0.2.2" },
	{ "ptr10.test", TXT, "v=spf1 ptr:h10.crowd.test -all" },
	{ "ptr11.test", TXT, "v=spf1 ptr:h11.crowd.test -all" },
	{ "3.2.0.192.in-addr.arpa", DNS_PTR, "host.ptr.test" }, /* which has not this address */
	{ "exists-pass.test", TXT, "v=spf1 +exists:h.test -all" },
	{ "exists-fail.test", TXT, "v=spf1 -exists:h.test +all" },
	{ "exists-softfail.test", TXT, "v=spf1 ~exists:h.test +all" },
	{ "exists-neutral.test", TXT, "v=spf1 ?exists:h.test +all" },
	{ "include-pass.test", TXT, "v=spf1 +include:p.test -all" },
	{ "include-fail.test", TXT, "v=spf1 -include:p.test +all" },
	{ "include-softfail.test", TXT, "v=spf1 ~include:p.test +all" },
	{ "include-neutral.test", TXT, "v=spf1 ?include:p.test +all" },

	/* include and redirect */
	{ "include-soft.test", TXT, "v=spf1 include:all-softfail.test ip4:192.0.2.1 -all" },
	{ "include-nothing.test", TXT, "v=spf1 include:alone.test ip4:192.0.2.1 -all" },
	{ "include-none.test", TXT, "v=spf1 include:none.test +all" },
	{ "include-gone.test", TXT, "v=spf1 include:gone.test +all" },
	{ "include-temp.test", TXT, "v=spf1 include:fail.test +all" },
	{ "include-perm.test", TXT, "v=spf1 include:two.test +all" },
	{ "include-broken.test", TXT, "v=spf1 include:unknown.test +all" },
	{ "include-odd.test", TXT, "v=spf1 include:a..b +all" },
	{ "include-macro.test", TXT, "v=spf1 include:%{d2}.macros.test -all" },
	{ "include-macro.test.macros.test", TXT, "v=spf1 ip4:192.0.2.1 -all" },
	{ "redirect.test", TXT, "v=spf1 redirect=p.test" },
	{ "redirect-first.test", TXT, "v=spf1 redirect=all-fail.test ip4:192.0.2.1" },
	{ "redirect-all.test", TXT, "v=spf1 ?all redirect=fail.test" },
	{ "redirect-none.test", TXT, "v=spf1 redirect=none.test" },
	{ "redirect-temp.test", TXT, "v=spf1 redirect=fail.test" },
	{ "redirect-twice.test", TXT, "v=spf1 redirect=p.test redirect=p.test" },
	{ "redirect-chain.test", TXT, "v=spf1 redirect=redirect.test" },
	{ "redirect-self.test", TXT, "v=spf1 redirect=redirect-self.test" },
	{ "include-redirect.test", TXT, "v=spf1 include:redirect.test ~all" },
	{ "include-self.test", TXT, "v=spf1 include:include-self.test -all" },
	{ "loop1.test", TXT, "v=spf1 include:loop2.test -all" },
	{ "loop2.test", TXT, "v=spf1 include:loop1.test -all" },

	/* Macros; the name of the question shows what became of them. */
	{ "*.m.test", DNS_A, "127.0.0.2" },
	{ "m-i.test", TXT, "v=spf1 exists:%{i}.m.test -all" },
	{ "m-ir.test", TXT, "v=spf1 exists:%{ir}.%{v}.m.test -all" },
	{ "m-s.test", TXT, "v=spf1 exists:%{l}.%{o}.m.test -all" },
	{ "m-l.test", TXT, "v=spf1 exists:%{l-}.m.test -all" },
	{ "m-lr.test", TXT, "v=spf1 exists:%{lr-}.m.test -all" },
	{ "m-l1r.test", TXT, "v=spf1 exists:%{l1r-}.m.test -all" },
	{ "sub.m-d.test", TXT, "v=spf1 exists:%{d2}.m.test -all" },
	{ "sub.m-d3.test", TXT, "v=spf1 exists:%{d3}.m.test -all" },
	{ "sub.m-d9r.test", TXT, "v=spf1 exists:%{d9r}.m.test -all" },
	{ "sub.m-dr.test", TXT, "v=spf1 exists:%{d1r}.m.test -all" },
	{ "m-h.test", TXT, "v=spf1 exists:%{h}.m.test -all" },
	{ "m-p.test", TXT, "v=spf1 exists:%{p}.m.test -all" },
	{ "m-upper.test", TXT, "v=spf1 exists:%{D}.m.test -all" },
	{ "m-o.test", TXT, "v=spf1 include:m-o2.test -all" },
	{ "m-o2.test", TXT, "v=spf1 exists:%{o}.%{d}.m.test -all" },
	{ "m-at.test", TXT, "v=spf1 exists:%{s}.m.test ip4:192.0.2.1 -all" },
	{ "m-late.test", TXT, "v=spf1 ip4:192.0.2.1 exists:%{l}.m.test -all" },
	{ "m-to.test", TXT, "v=spf1 redirect=%{l}.r.test" },
	{ "*.r.test", TXT, "v=spf1 ip4:192.0.2.1 -all" },
	{ "m-long.test", TXT,
	  "v=spf1 exists:"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
	  "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
	  "%{i}.%{i}.%{i}.%{i}.%{i}.%{i}.%{i}.m.test -all" },
	{ "m-c.test", TXT, "v=spf1 exists:%{c}.m.test -all" },
	{ "m-z.test", TXT, "v=spf1 exists:%{z}.m.test -all" },
	{ "m-stray.test", TXT, "v=spf1 exists:%x.m.test -all" },
	{ "m-zero.test", TXT, "v=spf1 exists:%{d0}.m.test -all" },
	{ "m-open.test", TXT, "v=spf1 exists:%{d -all" },

	/* Syntax */
	{ "unknown.test", TXT, "v=spf1 ipv4:192.0.2.1 -all" },
	{ "late.test", TXT, "v=spf1 +all moo:x" },
	{ "modifier.test", TXT, "v=spf1 foo=bar a.b_c-1=%{d} ip4:192.0.2.1 -all" },
	{ "modifier-bad.test", TXT, "v=spf1 foo=%{z} ip4:192.0.2.1 -all" },
	{ "modifier-prefix.test", TXT, "v=spf1 -redirect=p.test" },
	{ "exp.test", TXT, "v=spf1 -all exp=why.exp.test" },
	{ "why.exp.test", TXT, CVE_2023_42118 },
	{ "exp-twice.test", TXT, "v=spf1 -all exp=a.test exp=b.test" },
	{ "bad-ip4.test", TXT, "v=spf1 ip4:192.0.2 -all" },
	{ "bad-ip4-long.test", TXT, "v=spf1 ip4:192.0.2.1.192.0.2.1.192.0.2.1 -all" },
	{ "bad-ip6.test", TXT, "v=spf1 ip6:192.0.2.1 -all" },
	{ "bad-cidr.test", TXT, "v=spf1 ip4:192.0.2.0/33 -all" },
	{ "bad-cidr6.test", TXT, "v=spf1 a//129 -all" },
	{ "bad-colon.test", TXT, "v=spf1 a: -all" },
	{ "bad-all.test", TXT, "v=spf1 all:x" },
	{ "bad-include.test", TXT, "v=spf1 include -all" },
	{ "bad-comma.test", TXT, "v=spf1 ip4:192.0.2.1, -all" },
	{ "bad-utf8.test", TXT, "v=spf1 a:\xc3\xa4.test -all" },
	{ "bad-tab.test", TXT, "v=spf1 ip4:192.0.2.1\t-all" },

	/* A prefix length of 0 */
	{ "zero4.test", TXT, "v=spf1 ip4:0.0.0.0/0 -all" },
	{ "zero6.test", TXT, "v=spf1 ip6:::/0 -all" },
	{ "zero-a.test", TXT, "v=spf1 -a:h.elsewhere.test/0 +all" },
	{ "zero-a6.test", TXT, "v=spf1 a:zero-h.test//0 -all" },
	{ "zero-h.test", DNS_AAAA, "2001:db8:ffff::1" },
	{ "zero-mx.test", TXT, "v=spf1 mx:mx10.test/0//64 -all" },
	{ "zero-none.test", TXT, "v=spf1 a:empty.test/0 -all" },
	{ "zero-syntax.test", TXT, "v=spf1 ip4:nonsense/0 -all" },

	/* RFC 7208 section 4.6.4 */
	{ "ten.test", TXT,
	  "v=spf1 a:h1.elsewhere.test a:h2.elsewhere.test a:h3.elsewhere.test a:h4.elsewhere.test "
	  "a:h5.elsewhere.test a:h6.elsewhere.test a:h7.elsewhere.test a:h8.elsewhere.test "
	  "a:h9.elsewhere.test a:h10.elsewhere.test ip4:192.0.2.1 -all" },
	{ "eleven.test", TXT,
	  "v=spf1 a:h1.elsewhere.test a:h2.elsewhere.test a:h3.elsewhere.test a:h4.elsewhere.test "
	  "a:h5.elsewhere.test a:h6.elsewhere.test a:h7.elsewhere.test a:h8.elsewhere.test "
	  "a:h9.elsewhere.test a:h10.elsewhere.test a:h11.elsewhere.test ip4:192.0.2.1 -all" },
	{ "nine.test", TXT,
	  "v=spf1 a:h1.elsewhere.test a:h2.elsewhere.test a:h3.elsewhere.test a:h4.elsewhere.test "
	  "a:h5.elsewhere.test a:h6.elsewhere.test a:h7.elsewhere.test a:h8.elsewhere.test "
	  "a:h9.elsewhere.test -all" },
	{ "nested.test", TXT, "v=spf1 include:nine.test ip4:192.0.2.1 -all" },
	{ "nested-over.test", TXT, "v=spf1 include:nine.test a:h.test -all" },
	{ "wide.test", TXT, "v=spf1 include:five.test include:five.test ip4:192.0.2.1 -all" },
	{ "five.test", TXT,
	  "v=spf1 a:h1.elsewhere.test a:h2.elsewhere.test a:h3.elsewhere.test a:h4.elsewhere.test "
	  "a:h5.elsewhere.test -all" },
	{ "void2.test", TXT, "v=spf1 a:v1.test exists:empty.test ip4:192.0.2.1 -all" },
	{ "void3.test", TXT, "v=spf1 a:v1.test mx:empty.test exists:v2.test ip4:192.0.2.1 -all" },
	{ "void-hosts.test", TXT, "v=spf1 mx:mx10.test ip6:2001:db8::1 -all" },
	{ "exp0.test", TXT,
	  "v=spf1 include:exp1.test include:exp1.test include:exp1.test include:exp1.test -all" },
	{ "exp1.test", TXT,
	  "v=spf1 include:exp2.test include:exp2.test include:exp2.test include:exp2.test -all" },
	{ "exp2.test", TXT,
	  "v=spf1 include:exp3.test include:exp3.test include:exp3.test include:exp3.test -all" },
	{ "exp3.test", TXT, "v=spf1 a:h.elsewhere.test a:h.elsewhere.test -all" },

	{ "crowd.test", TXT, "v=spf1 a:x.t a:x.t a:x.t a:x.t a:x.t a:x.t a:x.t a:x.t a:x.t a:x.t" },
	{ "x.t", DNS_A, "#210" },
	{ "long.test", TXT, "v=spf1 exists:" VERY_MUCH " -all" },
	{ "long-redirect.test", TXT, "v=spf1 redirect=" VERY_MUCH },
	{ "long-modifier.test", TXT, "v=spf1 exp=" CVE_2023_42118 " -all" },

	/* Trouble with DNS in the middle */
	{ "a-temp.test", TXT, "v=spf1 a:down.test +all" },
	{ "mx-temp.test", TXT, "v=spf1 mx:down.test +all" },
	{ "mx-temp2.test", TXT, "v=spf1 mx +all" },
	{ "mx-temp2.test", DNS_MX, "down.test" },
	{ "exists-temp.test", TXT, "v=spf1 exists:down.test +all" },
	{ "before-temp.test", TXT, "v=spf1 ip4:192.0.2.1 a:down.test -all" },
	{ "ptr-temp.test", TXT, "v=spf1 ptr ip4:192.0.2.8/30 -all" },
	{ "8.2.0.192.in-addr.arpa", ZONE_FAIL, "12" },
	{ "9.2.0.192.in-addr.arpa", DNS_PTR, "down.test" },
	{ "down.test", ZONE_FAIL, "1" },
	{ "down.test", ZONE_FAIL, "15" },
	{ "down.test", ZONE_FAIL, "28" },
	{ "slow.test", TXT, "v=spf1 a:silent.test +all" },
	{ "silent.test", ZONE_SILENT, "" },
};

#endif
