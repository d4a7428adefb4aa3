# SPDX-License-Identifier: ISC
"""Stories of routes: the real Postfix and the real Exim as relays that want a login over TLS, at ports 587 and 465 of addresses
of their own, which must be free there."""

import base64
import glob
import os
import re
import shutil
import subprocess

import certificates
import lab
import receivers
from stories import HEADER, PLAIN, SENDER, equal, match, only, story, without_received

USER, PASSWORD, WRONG = 'fred', 'Sesam=0effne,dich 4711', 'Simsalabim 0815'

# One smtpd each: what it is called, where it is, and what it does otherwise than the one that is usual.
SMTPD = {
    'plain': ('127.0.7.1', 587, ''),
    'login': ('127.0.7.2', 587, '-o smtpd_tls_security_level=may -o smtpd_tls_auth_only=no'),  # AUTH also before TLS
    'scram': ('127.0.7.3', 587, ''),
    'slow': ('127.0.7.4', 587, '-o { smtpd_relay_restrictions = sleep 1, permit_sasl_authenticated, reject }'),
    'bare': ('127.0.7.5', 587, '-o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no'),
    'tls': ('127.0.7.6', 465, '-o smtpd_tls_wrappermode=yes'),
}
MECHANISMS = {'plain': 'PLAIN', 'login': 'LOGIN', 'scram': 'SCRAM-SHA-256'}
EXIM = '127.0.7.20'

ZONE = '\n'.join(f'{name}.relay.test A {address}' for name, (address, *_) in {**SMTPD, 'exim': (EXIM,)}.items()) + """
dead3.lab.test       A   127.0.0.19   # nobody listens, and no other domain is there
dead.fallback.test   MX  10 dead3.lab.test
alive.fallback.test  MX  10 mx1.lab.test
large.test           MX  10 mx1.lab.test
sender.test          MX  10 mx1.lab.test
"""
LOGIN = f'tls_ca_file = "{{ca}}"  user = "{USER}"  password_file = "{{secret}}"'
CONFIG = ''.join(f'route "{name}.route.test" {{{{ hosts = {{{{"{name}.relay.test:{port}"}}}}  {LOGIN} }}}}\n'
                 for name, port in [*((name, port) for name, (_, port, _) in SMTPD.items()), ('exim', 587)]) + f"""
route "wrong.route.test" {{{{ hosts = {{{{"plain.relay.test:587"}}}}  {LOGIN.replace('secret', 'wrong')} }}}}
route "*.fallback.test" {{{{ direct = yes }}}}
route "*.fallback.test" {{{{ hosts = {{{{"plain.relay.test:587"}}}}  priority = 20  {LOGIN} }}}}
route "large.test" {{{{ hosts = {{{{"plain.relay.test:587"}}}}  size_over = 50K  {LOGIN} }}}}
route "sender.test" {{{{ hosts = {{{{"plain.relay.test:587"}}}}  sender = {{{{"news-*@lab.test"}}}}  {LOGIN} }}}}
"""

MASTER = """{address}:{port} inet n - n - - smtpd
  -o smtpd_sasl_path={name} {more}
"""
MAIN = """
smtpd_sasl_auth_enable = yes
cyrus_sasl_config_path = {sasl}
smtpd_sasl_local_domain = lab.test
smtpd_sasl_authenticated_header = yes
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {chain}
smtpd_tls_received_header = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
# What it accepts can be seen in the lab's inbox.
default_transport = smtp:[127.0.0.6]:{inbox}
"""
SASL = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {db}
mech_list: {mechanisms}
"""


class Postfix(lab.Postfix):
    """The relay. All it knows is one user."""

    def __init__(self, world, chain):
        self.chain = chain
        super().__init__(world, 'relay')

    def wire(self):
        database = self.path('sasldb2')
        subprocess.run(['saslpasswd2', '-p', '-c', '-f', database, '-u', 'lab.test', USER], input=PASSWORD.encode(),
                       check=True, timeout=lab.GUARD)
        shutil.chown(database, 'root', 'postfix')
        os.chmod(database, 0o640)
        self.main = self.main.replace('host.lab.test', 'relay.lab.test').replace('mynetworks = 127.0.0.0/8', 'mynetworks =')
        self.main += MAIN.format(chain=self.chain, inbox=self.lab.mx.port, sasl=self.path('postfix', 'sasl'))
        self.master += receivers.MASTER
        os.mkdir(self.path('postfix', 'sasl'))  # where Debian's looks, whatever it is told
        for name, (address, port, more) in SMTPD.items():
            lab.write(self.path('postfix', 'sasl', name + '.conf'),
                      SASL.format(db=database, mechanisms=MECHANISMS.get(name, ' '.join(MECHANISMS.values()))))
            self.master += MASTER.format(address=address, port=port, name=name, more=more)

    def start(self, main=''):
        super().start(main)
        for address, port, _ in SMTPD.values():
            lab.wait_until(lambda a=address, p=port: lab.answers(a, p), f'smtpd at {address}:{port}')


EXIM_CONFIG = receivers.EXIM_CONFIG.replace(
    'acl_smtp_rcpt = accept\n',
    'acl_smtp_rcpt = known\nauth_advertise_hosts = ${{if def:tls_in_cipher{{*}}}}\n').replace(
    'begin routers\n', """begin acl
known:
  accept authenticated = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{${{readfile{{{secret}}}{{}}}}}}}}}}}}
  server_set_id = $auth2
begin routers
""")


class Exim(lab.Exim):
    """Keeps in its queue what it accepts."""

    address = EXIM

    def __init__(self, world, binary, chain, secret):
        self.chain, self.secret = chain, secret
        super().__init__(world, binary, 'exim-relay')

    def configure(self, program=None, change=None):
        self.port = 587
        transport, router = self.lab.example('exim-pipe.conf').split('\n\n')
        lab.write(self.config, EXIM_CONFIG.format(dir=self.directory, binary=self.binary, port=self.port, router=router,
                                                  transport=transport, address=self.address, chain=self.chain,
                                                  user=USER, secret=self.secret))


class Relays:
    """The relays, their certificates, and the routes to them in the lab's configuration."""

    def __init__(self, world):
        self.lab = world
        made = certificates.Certificates(world.path('relay-certificates'))
        made.make('root', certificates.CA)
        self.chain = made.for_host('relay', '*.relay.test', 'root')
        self.secret = self.password('isp.secret', PASSWORD, 'mxdirect')
        wrong = self.password('wrong.secret', WRONG, 'mxdirect')
        self.postfix = world.add(Postfix(world, self.chain))
        self.postfix.start()
        lab.write(world.config, lab.read(world.config) + CONFIG.format(ca=made.path('root.pem'), secret=self.secret,
                                                                       wrong=wrong))
        self.started_exim = None

    def exim(self, binary):
        if not self.started_exim:
            secret = self.password('exim.secret', PASSWORD, lab.EXIM_USER)
            self.started_exim = self.lab.add(Exim(self.lab, binary, self.chain, secret))
            self.started_exim.start()
        return self.started_exim

    def password(self, name, text, group):
        path = lab.write(self.lab.path(name), text, 0o640)
        shutil.chown(path, 'root', group)
        return path


def relayed(w, recipient, mechanism, tls=True):
    """What the relay took for this recipient, and passed on: whole, after a login with this mechanism, over TLS."""
    w.mx.wait('stored', detail=recipient)
    data = only(w, recipient).data
    received = re.sub(r'\r\n[ \t]+', ' ', data.decode())
    match(r'^Received: from host\.lab\.test .*using TLSv1\.3 .*\(Authenticated sender: fred@lab\.test\) by relay\.lab\.test',
          received, recipient)
    queue_id = re.search(r'by relay\.lab\.test \(Postfix\) with ESMTPSA id (\S+)', received).group(1)
    w.routes.postfix.log.wait(rf'{queue_id}: client=\S+, sasl_method={mechanism}, sasl_username=fred@lab\.test')
    return without_received(data)


def sent_by(w, recipient, name, port=587, sender=SENDER, message=PLAIN):
    """Through the client Postfix, to the relay of that name."""
    since = w.routes.postfix.log.mark()
    q = w.postfix.send(sender, [recipient], message)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('2.0.0', 'sent'), text)
    match(rf'^delivered via mxpipe service \({name}\.relay\.test\[127\.0\.7\.\d+\]:{port} TLSv1\.3 verify 250 2\.0\.0 Ok: queued',
          text, recipient)
    w.routes.postfix.log.wait('sasl_method=', since)
    return q


@story('routes: submission with PLAIN, LOGIN, SCRAM-SHA-256')
def _(w):
    for name, mechanism in MECHANISMS.items():
        recipient = f'r@{name}.route.test'
        q = sent_by(w, recipient, name)
        equal(without_received(relayed(w, recipient, mechanism)), lab.crlf(PLAIN), recipient)
        w.lab.trace.wait(rf'{q}: to=<{re.escape(recipient)}>, relay={name}\.relay\.test\[\S+\]:587, .*tls=verify, .*'
                         r'status=sent \(250 2\.0\.0 Ok')


@story('routes: implicit TLS')
def _(w):
    sent_by(w, 'r@tls.route.test', 'tls', 465)
    relayed(w, 'r@tls.route.test', 'SCRAM-SHA-256')


@story('routes: a wrong password: deferred, and the log names the route')
def _(w):
    since, events = w.routes.postfix.log.mark(), len(w.mx.events)
    q = w.postfix.send(SENDER, ['r@wrong.route.test'], PLAIN)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('4.7.8', 'deferred'), text)
    line = 1 + lab.read(w.lab.config).split('route "wrong.route.test"')[0].count('\n')
    match(rf'^route "wrong\.route\.test" \({re.escape(w.lab.config)}:{line}\): plain\.relay\.test\[127\.0\.7\.1\]:587 said: '
          r'535 5\.7\.8 .*authentication failed', text, 'log')
    w.routes.postfix.log.wait('SASL PLAIN authentication failed', since)
    equal([e for e in w.mx.events[events:] if e.kind == 'stored'], [], 'stored')
    w.postfix.drop(q)


@story('routes: a relay without TLS hears neither the password nor the mail')
def _(w):
    since = w.routes.postfix.log.mark()
    q = w.postfix.send(SENDER, ['r@bare.route.test'], PLAIN)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('4.7.5', 'deferred'), text)
    match(r'bare\.relay\.test\[127\.0\.7\.5\]:587 does not offer STARTTLS', text, 'log')
    m = w.routes.postfix.log.wait(r'disconnect from \S+ (.*)', since)
    equal(m.group(1), 'ehlo=1 quit=1 commands=2', 'what the relay heard')
    w.postfix.drop(q)


@story('routes: a relay after the MX, which is dead')
def _(w):
    q = sent_by(w, 'r@dead.fallback.test', 'plain')
    relayed(w, 'r@dead.fallback.test', 'PLAIN')
    w.lab.trace.wait(rf'{q}: host=dead3\.lab\.test\[127\.0\.0\.19\]:\d+, .*next=yes')
    events = len(w.mx.events)
    q = w.postfix.send(SENDER, ['r@alive.fallback.test'], PLAIN)
    equal(w.postfix.verdict(q)[1], 'sent', 'a domain that answers')
    w.mx.wait('stored', events, host='mx1.lab.test', detail='r@alive.fallback.test')
    equal(only(w, 'r@alive.fallback.test').host, 'mx1.lab.test', 'a domain that answers')


@story('routes: large messages, one sender')
def _(w):
    large = HEADER + b'\n' + b'60 kilobytes of text, in lines\n' * 2000
    sent_by(w, 'big@large.test', 'plain', message=large)
    equal(without_received(relayed(w, 'big@large.test', 'PLAIN')), lab.crlf(large), 'message')
    sent_by(w, 'news@sender.test', 'plain', sender='news-7@lab.test')
    relayed(w, 'news@sender.test', 'PLAIN')
    for recipient in ('small@large.test', 'person@sender.test'):
        q = w.postfix.send(SENDER, [recipient], PLAIN)
        equal(w.postfix.verdict(q)[1], 'sent', recipient)
        equal(only(w, recipient).host, 'mx1.lab.test', recipient)


@story('routes: LMTP, one login for two recipients')
def _(w):
    since = w.routes.postfix.log.mark()
    q = w.postfix_lmtp.send(SENDER, ['a@scram.route.test', 'b@scram.route.test'], PLAIN)
    for recipient in ('a@scram.route.test', 'b@scram.route.test'):
        dsn, status, text = w.postfix_lmtp.verdict(q, recipient)
        equal((dsn, status), ('2.0.0', 'sent'), text)
        match(r'scram\.relay\.test\[127\.0\.7\.3\]:587 TLSv1\.3 verify 250 2\.0\.0 Ok', text, recipient)
    w.mx.wait('stored', detail='@scram.route.test')
    equal(w.routes.postfix.log.count('sasl_method=SCRAM-SHA-256', since), 1, 'logins')


@story('routes: exim is the host')
def _(w):
    since = w.routes.postfix.log.mark()
    i = w.exim.send(SENDER, ['exim@plain.route.test'], PLAIN)
    match(rf'{i} => exim <exim@plain\.route\.test> R=mxdirect_r T=mxdirect_pipe', w.exim.deliver(i), 'log')
    w.routes.postfix.log.wait('sasl_method=PLAIN', since)
    relayed(w, 'exim@plain.route.test', 'PLAIN')


@story('routes: exim is the relay')
def _(w):
    exim = w.routes.exim(w.exim_binary)
    q = w.postfix.send(SENDER, ['r@exim.route.test'], PLAIN)
    dsn, status, text = w.postfix.verdict(q)
    equal((dsn, status), ('2.0.0', 'sent'), text)
    match(r'\(exim\.relay\.test\[127\.0\.7\.20\]:587 TLSv1\.3 verify 250 OK id=', text, 'log')
    exim.log.wait(r'<= s@lab\.test H=.* P=esmtpsa X=TLS1\.3:\S+ .*A=plain:fred ')


def spellings(password):
    """Of a password, as it might stand somewhere."""
    plain = password.encode()
    return [plain, base64.b64encode(plain), base64.b64encode(b'\0fred\0' + plain)]


def processes():
    """Command lines and environments of all processes."""
    text = b''
    for path in glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/environ'):
        try:
            with open(path, 'rb') as f:
                text += f.read() + b'\n'
        except OSError:
            pass
    return text


@story('routes: the password is in no process list, log, queue or memory')
def _(w):
    secrets = [word for password in (PASSWORD, WRONG) for word in spellings(password)]
    since = w.routes.postfix.log.mark()
    q = w.postfix.send(SENDER, ['r@slow.route.test', '2@wrong.route.test'], PLAIN)
    looks = []
    lab.wait_until(lambda: looks.append(processes()) or w.routes.postfix.log.count('sasl_method=', since), 'the delivery')
    equal(sum(b'r@slow.route.test' in seen for seen in looks) > 3, True, 'looks at a delivery')
    equal([s for s in secrets for seen in looks if s in seen], [], 'in the process list')
    equal(w.postfix.verdict(q, 'r@slow')[1], 'sent', 'log')
    equal(w.postfix.verdict(q, '2@wrong')[1], 'deferred', 'log')
    known, looked = ('isp.secret', 'wrong.secret', 'exim.secret', 'sasldb2'), 0
    for directory, _, names in os.walk(w.lab.directory):
        for name in names:
            path = os.path.join(directory, name)
            if name in known or not os.path.isfile(path):
                continue
            with open(path, 'rb') as f:
                data = f.read()
            looked += 1
            equal([s for s in secrets if s in data], [], path)
    equal(looked > 50, True, 'files looked at')
    w.postfix.drop(q)


@story('routes: a plan logs in, and leaves')
def _(w):
    since = w.routes.postfix.log.mark()
    done = subprocess.run([w.ctl, 'plan', '--probe', '-c', w.lab.config, 'r@scram.route.test'], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, timeout=lab.GUARD)
    text = (done.stdout + done.stderr).decode()
    equal(done.returncode, 0, text)
    match('SCRAM-SHA-256', text, 'plan')
    equal([s for s in spellings(PASSWORD) if s in done.stdout], [], 'the password')
    m = w.routes.postfix.log.wait(r'disconnect from \S+ (.*)', since)
    equal(m.group(1), 'ehlo=2 starttls=1 auth=1 quit=1 commands=5', 'what the relay heard')
