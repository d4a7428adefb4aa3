# SPDX-License-Identifier: ISC
"""Stories of TLS with a proof: zones that Knot signs and Unbound validates, the real Postfix and the real Exim as MX hosts,
an HTTPS server with MTA-STS policies. All of it on loopback, with keys of its own; port 443 must be free there."""

import contextlib
import importlib.machinery
import importlib.util
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
import time

import certificates
import lab
import mx
import receivers
from signed import Signed, Zone
from stories import HEADER, PLAIN, SENDER, equal, match, story

EE, TA, STRANGER, BARE, PKIX, WRONG, LAPSED, WILDCARD = (f'127.0.6.{n}' for n in range(1, 9))
EXIM = '127.0.6.20'
BROKEN, INJECTED, SCRIPTED = (f'127.0.6.{n}' for n in range(30, 33))  # of mx.py
ENFORCE, MISMATCH, TESTING, NO_POLICY, BOTH, VOUCHES = (f'127.0.6.{n}' for n in range(40, 46))  # web servers

# Everything that is right or wrong about DANE. mx-ee and its like are the Postfix at EE, whose certificate has expired and
# names somebody else: nothing but its key counts.
GOOD = """
ee              MX 10 mx-ee
mx-ee           A {EE}
_{port}._tcp.mx-ee      {ee}
_smtp._tls.ee   TXT "v=TLSRPTv1; rua=mailto:reports@good.test"
whole           MX 10 mx-whole
mx-whole        A {EE}
_{port}._tcp.mx-whole   {ee_whole}
mismatch        MX 10 mx-mismatch
mx-mismatch     A {EE}
_{port}._tcp.mx-mismatch  {ta_leaf}
_smtp._tls.mismatch  TXT "v=TLSRPTv1; rua=mailto:reports@good.test"
second          MX 10 mx-mismatch
second          MX 20 mx-ee
bare            MX 10 mx-bare
mx-bare         A {BARE}
_{port}._tcp.mx-bare    {ee}
rollover        MX 10 mx-rollover
mx-rollover     A {EE}
_{port}._tcp.mx-rollover  {ta_leaf}
_{port}._tcp.mx-rollover  {ee}
strongest       MX 10 mx-strongest
mx-strongest    A {EE}
_{port}._tcp.mx-strongest  {ee}
_{port}._tcp.mx-strongest  {ta_leaf_512}
scripted        MX 10 mx-scripted
mx-scripted     A {SCRIPTED}
_{port}._tcp.mx-scripted  {wild}
both            MX 10 mx-ee
_mta-sts.both   TXT "v=STSv1; id=1"
mta-sts.both    A {BOTH}
bothbroken      MX 10 mx-broken.parts.test.
_mta-sts.bothbroken  TXT "v=STSv1; id=1"
mta-sts.bothbroken   A {BOTH}
unusable        MX 10 mx-unusable
mx-unusable     A {EE}
_{port}._tcp.mx-unusable  TLSA 1 1 1 {zeros}
_{port}._tcp.mx-unusable  TLSA 0 0 1 {zeros}
unusablebare    MX 10 mx-unusablebare
mx-unusablebare A {BARE}
_{port}._tcp.mx-unusablebare  TLSA 1 1 1 {zeros}

inter           MX 10 mx-inter
mx-inter        A {TA}
_{port}._tcp.mx-inter   {inter}
root            MX 10 mx-root
mx-root         A {TA}
_{port}._tcp.mx-root    {root}
wrongname       MX 10 mx-wrongname
mx-wrongname    A {TA}
_{port}._tcp.mx-wrongname  {inter}
stranger        MX 10 mx-stranger
mx-stranger     A {STRANGER}
_{port}._tcp.mx-stranger   {inter}

alias           MX 10 mx-alias
mx-alias        CNAME mx-ee
mailalias       CNAME ee
aliasown        MX 10 mx-aliasown
mx-aliasown     CNAME mx-norecords
mx-norecords    A {EE}
_{port}._tcp.mx-aliasown  {ee}
out             MX 10 mx-out
mx-out          CNAME mx.plain.test.
_{port}._tcp.mx-out     {ee}
outwrong        MX 10 mx-outwrong
mx-outwrong     CNAME mx.plain.test.
_{port}._tcp.mx-outwrong  {ta_leaf}
shared          MX 10 mx-shared
mx-shared       A {EE}
_{port}._tcp.mx-shared  CNAME records
records         {ee}
tlsaout         MX 10 mx-tlsaout
mx-tlsaout      A {EE}
_{port}._tcp.mx-tlsaout CNAME records.plain.test.
insecurehost    MX 10 mx.plain.test.
"""

PLAIN_ZONE = """
may             MX 10 mx
mx              A {EE}
_{port}._tcp.mx {ta_leaf}
records         {ta_leaf}
strip           MX 10 strip
strip           A {BARE}
pkix            MX 10 pkix
pkix            A {PKIX}
wrong           MX 10 wrong
wrong           A {WRONG}
lapsed          MX 10 lapsed
lapsed          A {LAPSED}
wild            MX 10 wild
wild            A {WILDCARD}
exim            MX 10 exim
exim            A {EXIM}
broken          MX 10 broken
broken          A {BROKEN}
broken2         MX 10 broken
broken2         MX 20 mx
injected        MX 10 injected
injected        A {INJECTED}
scripted        MX 10 scripted
scripted        A {SCRIPTED}

enforce         MX 10 mx
enforce         MX 20 pkix
_mta-sts.enforce   TXT "v=STSv1; id=1"
mta-sts.enforce    A {ENFORCE}
mismatch        MX 10 wrong
_mta-sts.mismatch  TXT "v=STSv1; id=1"
mta-sts.mismatch   A {MISMATCH}
testing         MX 10 wrong
_mta-sts.testing   TXT "v=STSv1; id=1"
mta-sts.testing    A {TESTING}
_smtp._tls.testing TXT "v=TLSRPTv1; rua=mailto:reports@plain.test"
vouches         MX 10 scripted
_mta-sts.vouches   TXT "v=STSv1; id=1"
mta-sts.vouches    A {VOUCHES}
nopolicy        MX 10 wrong
_mta-sts.nopolicy  TXT "v=STSv1; id=1"
mta-sts.nopolicy   A {NO_POLICY}
_smtp._tls.nopolicy  TXT "v=TLSRPTv1; rua=mailto:reports@plain.test"
"""

WHOLE = '@ MX 10 mx\nmx A {EE}\n_{port}._tcp.mx {ee}\n'
PARTS = """
broken          MX 10 mx-broken
mx-broken       A {EE}
_{port}._tcp.mx-broken  {ee}
lapsed          MX 10 mx-lapsed
mx-lapsed       A {EE}
_{port}._tcp.mx-lapsed  {ee}
address         MX 10 mx-address
mx-address      A {EE}
_{port}._tcp.mx-address {ee}
"""
GARBAGE = b'this is no handshake\r\n' * 9
POLICY = b'version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: 86400\r\n'


def https():
    """tests/hosts/sts, for its server."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'sts')
    loader = importlib.machinery.SourceFileLoader('sts', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('sts', loader))
    loader.exec_module(module)
    return module


class World:
    """A lab whose name server is Unbound."""

    def __init__(self, program):
        self.closing = []
        self.scripted = mx.Host('scripted.plain.test', SCRIPTED, offers=['REQUIRETLS'])
        self.broken = mx.Host('broken.plain.test', BROKEN, tls=GARBAGE)
        injected = mx.Host('injected.plain.test', INJECTED, tls='250 2.0.0 injected')
        self.lab = lab.Lab(program, hosts=[self.scripted, self.broken, injected])
        self.mx, self.port = self.lab.mx, self.lab.mx.port
        try:
            self.fill()
        except BaseException:
            self.close()
            raise

    def fill(self):
        self.certificates = self.make_certificates()
        self.signed = Signed(self.lab.path('dns'), self.zones())
        self.closing.append(self.signed)
        lab.write(self.lab.config, lab.CONFIG.format(port=self.port, dns_port=self.signed.port, state='')
                  + f'tls_ca_file = {self.certificates.path("root.pem")}\n')
        self.receiver = receivers.Postfix(self.lab, self.port, {
            EE: self.chain('ee'), TA: self.chain('ta'), STRANGER: self.chain('stranger'), BARE: None,
            PKIX: self.chain('pkix'), WRONG: self.chain('wrong'), LAPSED: self.chain('lapsed'),
            WILDCARD: self.chain('wild')})
        self.lab.parts.append(self.receiver)
        self.receiver.start()
        self.scripted.tls = self.context()
        self.started = {}

    def close(self):
        for part in self.closing:
            part.close()
        self.lab.close()

    @property
    def exim(self):
        """The one that receives."""
        if 'exim' not in self.started:
            self.started['exim'] = exim = receivers.Exim(self.lab, self.exim_binary, EXIM, self.port, self.chain('exim'))
            self.lab.parts.append(exim)
            exim.start()
        return self.started['exim']

    @property
    def exim_binary(self):
        if 'binary' not in self.started:
            self.started['binary'] = lab.unpack_exim(self.lab)
        return self.started['binary']

    @property
    def postfix(self):
        """The one that sends."""
        if 'postfix' not in self.started:
            self.started['postfix'] = self.lab.postfix()
        if not self.started['postfix'].running():
            self.started['postfix'].start()
        return self.started['postfix']

    def make_certificates(self):
        made = certificates.Certificates(self.lab.path('certificates'))
        made.make('root', certificates.CA)
        made.make('inter', certificates.CA, 'root')
        made.make('other', certificates.CA)
        made.for_host('ee', 'somebody.invalid', days=(-30, -2))
        made.make('ta', 'subjectAltName=DNS:mx-inter.good.test,DNS:mx-root.good.test', 'inter', send=('inter', 'root'))
        made.for_host('stranger', 'mx-stranger.good.test', 'other', send=['other'])
        made.for_host('pkix', 'pkix.plain.test', 'inter', send=['inter'])
        made.for_host('wrong', 'somebody.plain.test', 'root')
        made.for_host('lapsed', 'lapsed.plain.test', 'root', days=(-30, -2))
        made.for_host('wild', '*.plain.test', 'root')
        made.for_host('exim', 'exim.plain.test', 'inter', send=['inter'])
        made.make('policy', 'subjectAltName=' + ','.join(f'DNS:mta-sts.{name}.plain.test' for name in (
            'enforce', 'mismatch', 'testing', 'vouches')), 'root')
        return made

    def chain(self, name):
        return self.certificates.path(name + '.chain')

    def context(self, *versions):
        """For the scripted MX: a certificate for any host in plain.test, the oldest and the newest TLS that it speaks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain('wild'))
        if versions:
            context.set_ciphers('ALL:@SECLEVEL=0')
            context.minimum_version, context.maximum_version = versions
        return context

    def zones(self):
        tlsa = self.certificates.tlsa
        values = {**globals(), 'port': self.port, 'ee': tlsa(3, 1, 'ee'), 'ee_whole': tlsa(3, 0, 'ee'),
                  'ta_leaf': tlsa(3, 1, 'ta'), 'inter': tlsa(2, 1, 'inter'), 'root': tlsa(2, 1, 'root'),
                  'ta_leaf_512': tlsa(3, 1, 'ta', 2), 'wild': tlsa(3, 1, 'wild'), 'zeros': '0' * 64}
        good, plain, whole, parts = (text.format(**values) for text in (GOOD, PLAIN_ZONE, WHOLE, PARTS))
        return {'good.test': Zone(good), 'plain.test': Zone(plain, signed=False), 'bogus.test': Zone(whole, broken=''),
                'lapsed.test': Zone(whole, expired=''),
                'parts.test': Zone(parts, expired='lapsed TLSA$', broken='broken TLSA$|^mx-address A$')}

    def policy_server(self, address, mode, host):
        sts = https()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain('policy'))
        return sts.Server(address, context, sts.sends(sts.response(body=POLICY % (mode, host))))

    def deliver(self, recipient, *options, message=PLAIN):
        """(status, what is said on stderr, the lines of the log) of one run, as the user that the examples name."""
        since = self.lab.trace.mark()
        command = [self.lab.program, '-c', self.lab.config, '--trace', self.lab.trace.path, '-i', '4ABC', '-f', SENDER]
        for option in options:
            command += ['-o', option]
        done = subprocess.run([*command, '--', recipient], input=message, capture_output=True, check=False,
                              timeout=lab.GUARD, user='mxdirect', group='mxdirect', extra_groups=[])
        return done.returncode, done.stderr.decode().rstrip('\n'), self.lab.trace.text()[since:]

    @contextlib.contextmanager
    def lmtp(self):
        """An LMTP conversation with mxdirect, as the user that the examples name."""
        ours, theirs = socket.socketpair()
        with subprocess.Popen([self.lab.program, '--lmtp', '-c', self.lab.config, '--trace', self.lab.trace.path],
                              stdin=theirs, stdout=theirs, user='mxdirect', group='mxdirect', extra_groups=[]), ours:
            theirs.close()
            ours.settimeout(lab.GUARD)
            client = smtplib.LMTP(local_hostname='host.lab.test')
            client.sock = ours
            with contextlib.closing(client):
                equal(client.getreply()[0], 220, 'greeting')
                equal(client.ehlo()[0], 250, 'LHLO')
                yield client

    def arrived(self, recipient):
        """What the Postfix with TLS took and passed on; with TLS it says how it came."""
        self.mx.wait('stored', detail=recipient)
        found = self.mx.for_rcpt(recipient)
        equal(len(found), 1, f'messages stored for {recipient}')
        return re.sub(r'\r\n[ \t]+', ' ', found[0].data.decode())

    def sent(self, recipient, host, level, *options, **more):
        """Delivered to the Postfix of that name over TLS 1.3; the log."""
        status, said, log = self.deliver(recipient, *options, **more)
        match(rf'^{re.escape(host)}\[127\.0\.6\.\d+\]:{self.port} TLSv1\.3 {level} 250 2\.0\.0 Ok: queued as', said,
              recipient)
        equal(status, 0, recipient)
        match(rf'to=<{re.escape(recipient)}>, relay={re.escape(host)}\[.* tls={level}, .*tls_protocol=TLSv1\.3, '
              r'tls_cipher=\S+, dsn=2\.0\.0, status=sent', log, recipient)
        match(r'by \S+ .*using TLSv1\.3 with cipher|\(using TLSv1\.3 with cipher', self.arrived(recipient), recipient)
        return log

    def waits(self, recipient, code, why, *options, **more):
        """Not delivered to anybody, whatever the way; the log."""
        since, events = self.receiver.log.mark(), len(self.mx.events)
        status, said, log = self.deliver(recipient, *options, **more)
        match(f'^{re.escape(code)} {why}', said, recipient)
        equal(status, 75 if code[0] == '4' else 69, recipient)
        self.nothing(recipient, since, events)
        return log

    def nothing(self, recipient, since, events):
        """No server got as far as a recipient, all connections have come to their end."""
        log = self.receiver.log
        lab.wait_until(lambda: log.count(': connect from', since) == log.count(': disconnect from', since),
                       'the end of the sessions')
        equal(log.count('client=', since), 0, f'messages for {recipient}')
        equal([e for e in self.mx.events[events:] if e.kind in ('mail', 'rcpt', 'stored')], [], f'events for {recipient}')

    def reports(self):
        return Reports(self.lab.path('collector'))


class Reports:
    """A TLSRPT collector that only listens."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(lab.GUARD)
        os.chmod(path, 0o666)

    def next(self):
        return json.loads(self.socket.recv(65536))

    def close(self):
        self.socket.close()
        os.remove(self.path)


# DANE

@story('secure DANE-EE 3 1 1, through Postfix: the log says so')
def _(world):
    w = world.secure
    q = w.postfix.send(SENDER, ['first@ee.good.test'], PLAIN)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('2.0.0', 'sent'), text)
    match(rf'^delivered via mxpipe service \(mx-ee\.good\.test\[{EE}\]:{w.port} TLSv1\.3 dane 250 2\.0\.0 Ok: queued as',
          text, 'log')
    match(r'using TLSv1\.3 with cipher', w.arrived('first@ee.good.test'), 'what the receiver says')
    w.lab.trace.wait(rf'{q}: to=<first@ee\.good\.test>, relay=mx-ee\.good\.test\[{EE}\]:{w.port}, .*tls=dane, '
                     r'tls_because=dane, tls_protocol=TLSv1\.3, tls_cipher=\S+, dsn=2\.0\.0, status=sent')


@story('secure TLSA mismatch, through Postfix: deferred, and the DSN says why')
def _(world):
    w = world.secure
    since, events = w.receiver.log.mark(), len(w.mx.events)
    q = w.postfix.send(SENDER, ['first@mismatch.good.test'], PLAIN)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('4.7.5', 'deferred'), text)
    why = rf'mx-mismatch\.good\.test\[{EE}\]:{w.port}: TLS: no TLSA record matches the certificate \(demanded: dane\)'
    match(why, text, 'log')
    w.nothing('first@mismatch.good.test', since, events)
    w.postfix.drop(q)
    postfix = w.postfix
    postfix.stop()
    postfix.start('maximal_queue_lifetime = 0\n')
    q = postfix.send(SENDER, ['late@mismatch.good.test'], PLAIN)
    w.mx.wait('stored', events, detail=SENDER)
    postfix.stop()
    dsn = re.sub(r'\r\n[ \t]+', ' ', w.mx.for_rcpt(SENDER)[-1].data.decode())
    match(r'Final-Recipient: rfc822; ?late@mismatch\.good\.test\r\n', dsn, 'DSN')
    match(r'Status: 4\.7\.5\r\n', dsn, 'DSN')
    match(rf'Diagnostic-Code: x-unix; {why}', dsn, 'DSN')


@story('secure DANE-EE 3 0 1')
def _(world):
    world.secure.sent('r@whole.good.test', 'mx-whole.good.test', 'dane')


@story('secure TLSA mismatch: the next MX')
def _(world):
    w = world.secure
    log = w.sent('r@second.good.test', 'mx-ee.good.test', 'dane')
    match(r'host=mx-mismatch\.good\.test\[.*next=yes', log, 'log')


@story('secure more than one TLSA record: one is enough, but only those with the strongest digest count')
def _(world):
    w = world.secure
    w.sent('r@rollover.good.test', 'mx-rollover.good.test', 'dane')
    w.waits('r@strongest.good.test', '4.7.5', r'mx-strongest\.good\.test.*TLSA.*\(demanded: dane\)')


@story('secure DANE through Exim: the log says so')
def _(world):
    w = world.secure
    exim = w.lab.exim(w.exim_binary)
    exim.start()
    i = exim.send(SENDER, ['exim@ee.good.test'], PLAIN)
    log = exim.deliver(i)
    match(rf'{i} => exim <exim@ee\.good\.test> R=mxdirect_r T=mxdirect_pipe', log, 'log')
    match(rf'transport output: mx-ee\.good\.test\[{EE}\]:{w.port} TLSv1\.3 dane 250 2\.0\.0 Ok', log, 'log')
    i = exim.send(SENDER, ['exim@mismatch.good.test'], PLAIN)
    log = exim.deliver(i)
    match(rf'{i} == exim@mismatch\.good\.test R=mxdirect_r T=mxdirect_pipe defer \(0\)', log, 'log')
    match(rf'transport output: 4\.7\.5 mx-mismatch\.good\.test\[{EE}\]', log, 'log')
    exim.drop(i)


@story('secure DANE, STARTTLS stripped')
def _(world):
    world.secure.waits('r@bare.good.test', '4.7.5', r'mx-bare\.good\.test\S+ does not offer STARTTLS \(demanded: dane\)')


@story('secure TLSA records that cannot be used: TLS without a proof, never plain')
def _(world):
    w = world.secure
    log = w.sent('r@unusable.good.test', 'mx-unusable.good.test', 'encrypt')
    match('tls_because=dane', log, 'log')
    w.waits('r@unusablebare.good.test', '4.7.5', r'mx-unusablebare\.good\.test.*STARTTLS \(demanded: dane\)')


@story('secure DANE-TA 2 1 1, intermediate and root')
def _(world):
    w = world.secure
    w.sent('r@inter.good.test', 'mx-inter.good.test', 'dane')
    w.sent('r@root.good.test', 'mx-root.good.test', 'dane')


@story('secure DANE-TA: wrong name, other root')
def _(world):
    w = world.secure
    w.waits('r@wrongname.good.test', '4.7.5', r'.*not for mx-wrongname\.good\.test \(demanded: dane\)')
    w.waits('r@stranger.good.test', '4.7.5', r'mx-stranger\.good\.test.*no TLSA record matches')


@story('secure bogus zone, expired zone')
def _(world):
    w = world.secure
    w.waits('r@bogus.test', '4.4.3', r'MX lookup of bogus\.test')
    w.waits('r@lapsed.test', '4.4.3', r'MX lookup of lapsed\.test')


@story('secure bogus TLSA, expired TLSA, bogus address')
def _(world):
    w = world.secure
    since = w.receiver.log.mark()
    w.waits('r@broken.parts.test', '4.7.5', r'TLSA lookup of \S+\.mx-broken\.parts\.test')
    w.waits('r@lapsed.parts.test', '4.7.5', r'TLSA lookup of \S+\.mx-lapsed\.parts\.test')
    w.waits('r@address.parts.test', '4.4.3', r'address lookup of mx-address\.parts\.test')
    equal(w.receiver.log.count('connect from', since), 0, 'connections')


@story('secure insecure zone: opportunistic')
def _(world):
    w = world.secure
    log = w.sent('r@may.plain.test', 'mx.plain.test', 'may')
    equal('tls_because' in log, False, 'a reason')
    w.sent('r@insecurehost.good.test', 'mx.plain.test', 'may')


@story('secure aliases inside DNSSEC')
def _(world):
    w = world.secure
    w.sent('r@alias.good.test', 'mx-alias.good.test', 'dane')
    w.sent('r@mailalias.good.test', 'mx-ee.good.test', 'dane')
    w.sent('r@aliasown.good.test', 'mx-aliasown.good.test', 'dane')
    w.sent('r@shared.good.test', 'mx-shared.good.test', 'dane')


@story('secure aliases that leave DNSSEC')
def _(world):
    w = world.secure
    w.sent('r@out.good.test', 'mx-out.good.test', 'dane')
    w.waits('r@outwrong.good.test', '4.7.5', r'mx-outwrong\.good\.test.*TLSA')
    w.sent('r@tlsaout.good.test', 'mx-tlsaout.good.test', 'may')


@story('secure dane-only')
def _(world):
    w = world.secure
    w.sent('only@ee.good.test', 'mx-ee.good.test', 'dane', 'tls=dane-only')
    w.waits('only@may.plain.test', '4.7.5', r'.*mx\.plain\.test', 'tls=dane-only')
    w.waits('only@unusable.good.test', '4.7.5', r'.*mx-unusable\.good\.test', 'tls=dane-only')


@story('secure dane = no')
def _(world):
    world.secure.sent('nodane@mismatch.good.test', 'mx-mismatch.good.test', 'may', 'dane=no')


# The name and the roots

@story('secure verify with a private root, Postfix')
def _(world):
    w = world.secure
    log = w.sent('r@pkix.plain.test', 'pkix.plain.test', 'verify', 'tls=verify')
    match('tls_because=configured', log, 'log')
    w.sent('r@wild.plain.test', 'wild.plain.test', 'verify', 'tls=verify')
    other = 'tls_ca_file=' + w.certificates.path('other.pem')
    for recipient, why, *options in (
            ('r@wrong.plain.test', r'the certificate is for somebody\.plain\.test, not for wrong\.plain\.test'),
            ('r@lapsed.plain.test', 'the certificate expired'), ('r@strip.plain.test', 'does not offer STARTTLS'),
            ('root@pkix.plain.test', 'not trusted: the issuer is unknown', other)):
        w.waits(recipient, '4.7.5', rf'.*{why}.*\(demanded: configured\)', 'tls=verify', *options)
    w.waits('none@pkix.plain.test', '4.3.5', '.*/nonexistent', 'tls=verify', 'tls_ca_file=/nonexistent')


@story('secure verify with a private root, Exim')
def _(world):
    w = world.secure
    log = w.exim.log
    since = log.mark()
    status, said, own = w.deliver('r@exim.plain.test', 'tls=verify')
    match(rf'^exim\.plain\.test\[{EXIM}\]:{w.port} TLSv1\.3 verify 250 OK id=', said, 'verdict')
    equal(status, 0, 'status')
    match(r'tls=verify, tls_because=configured', own, 'log')
    arrived = log.wait(rf'(\S+) <= {SENDER} H=.* P=esmtps X=TLS1\.3:', since)
    match('Subject: plain', w.exim.exim('-Mvh', arrived.group(1)), 'what arrived')
    since = log.mark()
    w.waits('root@exim.plain.test', '4.7.5', r'exim\.plain\.test', 'tls=verify',
            'tls_ca_file=' + w.certificates.path('other.pem'))
    equal(log.count(' <= ', since), 0, 'messages')


# MTA-STS

@story('secure MTA-STS enforce, through Postfix: the policy is fetched, the hosts are pruned, the certificate counts')
def _(world):
    w = world.secure
    server = w.policy_server(ENFORCE, b'enforce', b'pkix.plain.test')
    try:
        q = w.postfix.send(SENDER, ['r@enforce.plain.test'], PLAIN)
        dsn, status, text = w.postfix.verdict(q)
    finally:
        server.close()
    equal((dsn, status), ('2.0.0', 'sent'), text)
    match(rf'\(pkix\.plain\.test\[{PKIX}\]:{w.port} TLSv1\.3 verify 250 2\.0\.0 Ok: queued as', text, 'log')
    match(r'using TLSv1\.3', w.arrived('r@enforce.plain.test'), 'what the receiver says')
    equal(server.names, ['mta-sts.enforce.plain.test'], 'SNI')
    w.lab.trace.wait(rf'{q}: host=mx\.plain\.test.*next=yes')
    w.lab.trace.wait(rf'{q}: to=<r@enforce\.plain\.test>, .*tls=verify, tls_because=mta-sts enforce, ')


@story('secure MTA-STS enforce, through Postfix: another name in the certificate')
def _(world):
    w = world.secure
    since, events = w.receiver.log.mark(), len(w.mx.events)
    server = w.policy_server(MISMATCH, b'enforce', b'*.plain.test')
    try:
        q = w.postfix.send(SENDER, ['r@mismatch.plain.test'], PLAIN)
        dsn, status, text = w.postfix.verdict(q)
    finally:
        server.close()
    equal((dsn, status), ('4.7.5', 'deferred'), text)
    match(rf'wrong\.plain\.test\[{WRONG}\]:{w.port}: TLS: the certificate is for somebody\.plain\.test, '
          r'not for wrong\.plain\.test \(demanded: mta-sts enforce\)', text, 'log')
    w.nothing('r@mismatch.plain.test', since, events)
    w.postfix.drop(q)


@story('secure MTA-STS testing, and no policy where there should be one')
def _(world):
    w = world.secure
    server = w.policy_server(TESTING, b'testing', b'wrong.plain.test')
    try:
        w.sent('r@testing.plain.test', 'wrong.plain.test', 'may')
    finally:
        server.close()
    equal(len(server.requests), 1, 'requests')
    log = w.sent('r@nopolicy.plain.test', 'wrong.plain.test', 'may')
    match(r'nopolicy\.plain\.test: mta-sts policy not in force', log, 'log')


@story('secure DANE before MTA-STS: the policy is not even fetched')
def _(world):
    w = world.secure
    server = w.policy_server(BOTH, b'enforce', b'elsewhere.test')
    try:
        w.sent('r@both.good.test', 'mx-ee.good.test', 'dane')
        w.waits('r@bothbroken.good.test', '4.7.5', r'TLSA lookup of \S+\.mx-broken\.parts\.test')
    finally:
        server.close()
    equal(server.requests + server.names, [], 'requests')


# Nothing demanded

@story('secure STARTTLS not offered: plain')
def _(world):
    w = world.secure
    status, said, log = w.deliver('r@strip.plain.test')
    match(rf'^strip\.plain\.test\[{BARE}\]:{w.port} 250 2\.0\.0 Ok: queued as', said, 'verdict')
    equal(status, 0, 'status')
    match('tls=none, ', log, 'log')
    equal('using TLS' in w.arrived('r@strip.plain.test'), False, 'TLS at the receiver')
    w.waits('enc@strip.plain.test', '4.7.5', r'strip\.plain\.test.*STARTTLS', 'tls=encrypt')


@story('secure broken TLS: the next MX with TLS, plain on a fresh connection only when there is none')
def _(world):
    w = world.secure
    w.sent('r@broken2.plain.test', 'mx.plain.test', 'may')
    since = len(w.mx.events)
    status, said, log = w.deliver('r@broken.plain.test')
    match(rf'^broken\.plain\.test\[{BROKEN}\]:{w.port} 250 2\.0\.0 Ok', said, 'verdict')
    equal(status, 0, 'status')
    match('tls=none:downgrade', log, 'log')
    sessions = {e.session for e in w.mx.events[since:] if e.host == 'broken.plain.test'}
    equal(len(sessions), 2, 'connections')
    for level in 'encrypt', 'verify', 'dane-only':
        w.waits(f'{level}@broken.plain.test', '4.7.5', r'.*broken\.plain\.test', 'tls=' + level)


@story('secure text injected before the handshake')
def _(world):
    w = world.secure
    w.waits('r@injected.plain.test', '4.5.0', r'injected\.plain\.test.*before the TLS handshake')


@story('secure handshakes that stall or end too soon')
def _(world):
    w = world.secure
    try:
        for trick, why in ((b'', 'timed out'), (b'\x16', 'lost connection'),
                           (b'\x16\x03\x03\x40\x00\x02\x00', 'lost connection'),
                           (b'\x15\x03\x03\x00\x02\x02\x28', 'the handshake failed: the server sent the alert')):
            w.broken.tls = trick
            start = time.monotonic()
            w.waits('trick@broken.plain.test', '4.7.5', rf'broken\.plain\.test.*TLS: {why}', 'tls=encrypt',
                    'command_timeout=1s')
            took = time.monotonic() - start
            equal(took < 10, True, f'time of {trick} ({took:.1f} s)')
    finally:
        w.broken.tls = GARBAGE


@story('secure old TLS: good enough for may, never for a proof')
def _(world):
    w = world.secure
    try:
        w.scripted.tls = w.context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
        status, said, _log = w.deliver('may@scripted.plain.test')
        match(rf'^scripted\.plain\.test\[{SCRIPTED}\]:{w.port} TLSv1\.1 may 250 ', said, 'verdict')
        w.waits('r@scripted.plain.test', '4.7.5', r'scripted\.plain\.test', 'tls=verify')
        w.waits('r@scripted.good.test', '4.7.5', r'mx-scripted\.good\.test')
        w.scripted.tls = w.context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2)
        status, said, _log = w.deliver('r@scripted.plain.test', 'tls=verify')
        match(rf'^scripted\.plain\.test\[{SCRIPTED}\]:{w.port} TLSv1\.2 verify 250 ', said, 'verdict')
        equal(status, 0, 'status')
    finally:
        w.scripted.tls = w.context()


@story('secure byte for byte')
def _(world):
    w = world.secure
    lines = b''.join(b'.%07d abcdefghijklmnopqrstuvwxyz\r\n' % n for n in range(100000))
    for name, message in (('large', lab.crlf(HEADER) + b'\r\n' + lines), ('small', lab.crlf(PLAIN)),
                          ('odd', lab.crlf(HEADER) + b'\r\n.\r\n..\r\n\xfc\xff\0' + b'x' * 70000 + b'\r\n.\r\n')):
        status, said, _log = w.deliver(f'{name}@scripted.good.test', message=message)
        match('TLSv1.3 dane 250', said, name)
        equal(status, 0, name)
        equal(w.mx.for_rcpt(f'{name}@scripted.good.test')[0].data, message, name)


# What the message asks for, and reports

@story('secure REQUIRETLS, which Postfix does not offer: returned')
def _(world):
    w = world.secure
    message = HEADER + b'Require-TLS-ESMTP: yes\n\nsecret\n'
    w.waits('req@ee.good.test', '5.7.30', r'mx-ee\.good\.test.*REQUIRETLS', message=message)
    w.waits('req@may.plain.test', '5.7.30', r'.*mx\.plain\.test', message=message)


@story('secure REQUIRETLS where it is offered')
def _(world):
    w = world.secure
    message = HEADER + b'Require-TLS-ESMTP: yes\n\nsecret\n'
    _status, said, _log = w.deliver('req@scripted.good.test', message=message)
    match('TLSv1.3 dane 250', said, 'verdict')
    equal('REQUIRETLS' in w.mx.for_rcpt('req@scripted.good.test')[0].mail.split(), True, 'MAIL FROM has REQUIRETLS')
    server = w.policy_server(VOUCHES, b'testing', b'scripted.plain.test')
    try:
        _status, said, log = w.deliver('req@vouches.plain.test', message=message)
    finally:
        server.close()
    match('TLSv1.3 verify 250', said, 'verdict')
    match('tls=verify, tls_because=requiretls', log, 'log')
    equal('REQUIRETLS' in w.mx.for_rcpt('req@vouches.plain.test')[0].mail.split(), True, 'MAIL FROM has REQUIRETLS')
    w.waits('req@scripted.plain.test', '5.7.30', r'.*scripted\.plain\.test', message=message)


@story('secure TLS-Required: No')
def _(world):
    w = world.secure
    message = HEADER + b'TLS-Required: No\n\nnot secret\n'
    w.sent('no@mismatch.good.test', 'mx-mismatch.good.test', 'may', message=message)
    w.waits('noenc@bare.good.test', '4.7.5', r'mx-bare\.good\.test', 'tls=encrypt', message=message)


@story('secure LMTP: a session is used again, but only for the same demand')
def _(world):
    w = world.secure
    since = w.receiver.log.mark()
    waived = HEADER + b'TLS-Required: No\n\nHello.\n'
    with w.lmtp() as client:
        for name, message, level, connections in (('again1', PLAIN, 'dane', 1), ('again2', PLAIN, 'dane', 1),
                                                  ('again3', waived, 'may', 2), ('again4', PLAIN, 'dane', 2)):
            to = name + '@ee.good.test'
            for reply in (client.mail(SENDER), client.rcpt(to), done := client.data(message)):
                equal(reply[0], 250, f'{name}: {reply}')
            match(rf'^2\.0\.0 mx-ee\.good\.test\[{EE}\]:{w.port} TLSv1\.3 {level} 250 ', done[1].decode(), name)
            w.arrived(to)
            equal(w.receiver.log.count('TLS connection established from', since), connections, f'{name}: connections')


@story('secure TLS reports')
def _(world):
    w = world.secure
    reports = w.reports()
    try:
        w.sent('rpt@ee.good.test', 'mx-ee.good.test', 'dane', 'tlsrpt_socket=' + reports.path)
        good = reports.next()
        w.waits('rpt@mismatch.good.test', '4.7.5', '.*TLSA', 'tlsrpt_socket=' + reports.path)
        bad = reports.next()
    finally:
        reports.close()
    equal((good['d'], good['pr']), ('ee.good.test', 'v=TLSRPTv1; rua=mailto:reports@good.test'), 'report')
    policy = good['policies'][0]
    equal((policy['policy-type'], policy['policy-domain'], policy['f']), (1, 'mx-ee.good.test', 0), 'success')
    policy = bad['policies'][0]
    equal((bad['d'], policy['policy-type'], policy['f']), ('mismatch.good.test', 1, 1), 'failure')
    match('^3 1 1 ', policy['policy-string'][0], 'policy')


@story('secure TLS reports about MTA-STS')
def _(world):
    w = world.secure
    reports = w.reports()
    server = w.policy_server(TESTING, b'testing', b'wrong.plain.test')
    try:
        w.sent('rpt@testing.plain.test', 'wrong.plain.test', 'may', 'tlsrpt_socket=' + reports.path)
        tested = reports.next()['policies'][0]
        w.sent('rpt@nopolicy.plain.test', 'wrong.plain.test', 'may', 'tlsrpt_socket=' + reports.path)
        failed = reports.next()['policies'][0]
    finally:
        server.close()
        reports.close()
    equal((tested['policy-type'], tested['mx-host'], tested['f']), (2, ['wrong.plain.test'], 1), 'testing')
    equal(tested['failure-details'][0]['c'], 202, 'testing: certificate-host-mismatch')
    equal((failed['policy-type'], failed['f']), (2, 1), 'no policy')
    equal(failed['failure-details'][0]['c'], 301, 'no policy: sts-policy-fetch-error')
