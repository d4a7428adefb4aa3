#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""world.py DIRECTORY: a name server and MX hosts on loopback for tests/ctl/run, until standard input ends.

DIRECTORY has the certificates that cert.c made, and `digests`, what it said. Both ports come on standard output: that of
the name server, that of the MX hosts. Everything below signed.test and ietf.org is signed: the answers
have the AD bit."""

import base64
import os
import ssl
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'hosts'))
import dns  # noqa: E402
import mx  # noqa: E402

ZONE = """
example.net                 MX    10 mx1.example.net
example.net                 MX    20 mx2.example.net
mx1.example.net             A     192.0.2.1
mx1.example.net             A     127.0.0.9
mx2.example.net             AAAA  2001:db8::2
_mta-sts.example.net        TXT   v=STSv1; id=20261101T000000
broken.example              MX    10 mail.broken.example
mail.broken.example         A     198.51.100.7
odd.test                    MX    0 .
odd.test                    MX    10 127.0.0.1
odd.test                    MX    20 mx.odd.test
odd.test                    MX    30 MX.odd.test
odd.test                    MX    40 client.test
odd.test                    MX    50 late.odd.test
mx.odd.test                 A     127.0.0.9
mx.odd.test                 AAAA  ::1
null.test                   MX    0 .
fail.test                   *     SERVFAIL
half.test                   MX    10 a.half.test
half.test                   MX    20 b.half.test
a.half.test                 *     SERVFAIL
b.half.test                 A     127.0.0.3
bare.test                   A     127.0.0.3
signed.test                 MX    10 mx1.signed.test
signed.test                 MX    20 mx2.signed.test
mx1.signed.test             A     127.0.0.2
mx2.signed.test             A     127.0.0.3
_PORT._tcp.mx1.signed.test  TLSA  3 1 1 DIGEST
_PORT._tcp.mx1.signed.test  TLSA  1 1 1 DIGEST
wrong.signed.test           MX    10 mx2.signed.test
_PORT._tcp.mx2.signed.test  TLSA  3 1 1 0000000000000000000000000000000000000000000000000000000000000000
busy.test                   MX    10 mx1.busy.test
busy.test                   MX    20 mx2.busy.test
mx1.busy.test               A     127.0.0.4
smtp.isp.test               A     127.0.0.6
relay.test                  A     192.0.2.80
list.test                   A     192.0.2.81
mx2.busy.test               A     127.0.0.5
ietf.org                    MX    0 mail2.ietf.org
25.0.0.127.in-addr.arpa     PTR   mail.sender.test
mail.sender.test            A     127.0.0.25
26.0.0.127.in-addr.arpa     PTR   127-0-0-26.dsl.isp.test
127-0-0-26.dsl.isp.test     A     127.0.0.26
27.0.0.127.in-addr.arpa     PTR   mail.sender.test
29.0.0.127.in-addr.arpa     *     SERVFAIL
sender.test                 TXT   v=spf1 ip4:127.0.0.25 ~all
_dmarc.sender.test          TXT   v=DMARC1; p=reject
strict.test                 TXT   v=spf1 include:strict-hosts.test -all
strict-hosts.test           TXT   v=spf1 ip4:192.0.2.0/24 -all
_dmarc.strict.test          TXT   v=DMARC1; sp=none
wrongspf.test               TXT   v=spf1 ip4:everywhere -all
_dmarc.wrongspf.test        TXT   v=DMARC1; p=none
_dmarc.wrongspf.test        TXT   v=DMARC1; p=reject
"""


def pack_value(kind, words, other=dns.pack_value):
    if kind == 'TLSA':
        return struct.pack('BBB', *map(int, words[:3])) + bytes.fromhex(words[3])
    return other(kind, words)


async def do_auth(self, rest):
    """PLAIN, with the password at once, as mxdirect says it."""
    mechanism, _, response = rest.partition(' ')
    if mechanism == 'PLAIN' and base64.b64decode(response) == b'\0fred\0open-sesame':
        self.reply('235 2.7.0 welcome')
    else:
        self.reply('535 5.7.8 wrong user or password')


class Server(dns.Server):
    def reply(self, query):
        out = super().reply(query)
        name = dns.parse_question(query)[0]
        if out and name.endswith(('signed.test', 'ietf.org')):
            out = out[:3] + bytes([out[3] | 0x20]) + out[4:]
        return out


def context(directory, host):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(directory, host + '.pem'))
    return tls


def main(directory):
    dns.TYPES['TLSA'] = 52
    dns.pack_value = pack_value
    mx.Session.do_auth = do_auth
    with open(os.path.join(directory, 'digests')) as f:
        digest = dict(line.split() for line in f)
    hosts = mx.Servers([
        mx.Host('mx1.signed.test', '127.0.0.2', tls=context(directory, 'mx1.signed.test')),
        mx.Host('mx2.signed.test', '127.0.0.3', tls=context(directory, 'mx2.signed.test')),
        mx.Host('mx1.busy.test', '127.0.0.4', busy=True),
        mx.Host('smtp.isp.test', '127.0.0.6', tls=context(directory, 'smtp.isp.test'), offers=['AUTH PLAIN']),
    ])
    server = Server(ZONE.replace('PORT', str(hosts.port)).replace('DIGEST', digest['mx1.signed.test']))
    print(server.port, hosts.port, flush=True)
    sys.stdin.read()
    server.close()
    hosts.close()


main(sys.argv[1])
