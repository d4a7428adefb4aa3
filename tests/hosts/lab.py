# SPDX-License-Identifier: ISC
"""A small world on loopback: a name server, MX hosts, a private Postfix, a private Exim, all in one temporary directory.

Nothing of the machine's own mail system is read or changed. close() ends what was started and removes the directory."""

import contextlib
import glob
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

import dns
import mx

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(TREE, 'packaging', 'examples')
INSTALLED = '/usr/sbin/mxdirect'  # as the examples say it
GUARD = mx.GUARD
BUILD_GUARD = 900
POLL = 0.02

HOSTS = [mx.Host('mx1.lab.test', '127.0.0.2'), mx.Host('mx2.lab.test', '127.0.0.3'),
         mx.Host('busy.lab.test', '127.0.0.4', busy=True), mx.Host('old.lab.test', '127.0.0.5', old=True),
         mx.Host('inbox.lab.test', '127.0.0.6'), mx.Host('ten.lab.test', '127.0.0.12', always=['LIMITS RCPTMAX=10'], most=10),
         mx.Host('five.lab.test', '127.0.0.13', most=5), mx.Host('dsn.lab.test', '127.0.0.14', always=['DSN']),
         mx.Host('closes.lab.test', '127.0.0.15', idle='close'), mx.Host('leaves.lab.test', '127.0.0.16', idle='421'),
         mx.Host('resets.lab.test', '127.0.0.17', idle='rset')]

ZONE = """
mx1.lab.test    A   127.0.0.2
mx2.lab.test    A   127.0.0.3
busy.lab.test   A   127.0.0.4
old.lab.test    A   127.0.0.5
dead.lab.test   A   127.0.0.7    # nobody listens
hole.lab.test   A   127.0.0.8    # takes no connection and refuses none, where a story makes it so
tls.lab.test    A   127.0.0.9    # only where a lab adds it
refuses.lab.test  A  127.0.0.10  # nobody listens, nor at the next
down.lab.test   A   127.0.0.11
ten.lab.test    A   127.0.0.12
five.lab.test   A   127.0.0.13
dsn.lab.test    A   127.0.0.14
closes.lab.test A   127.0.0.15
leaves.lab.test A   127.0.0.16
resets.lab.test A   127.0.0.17
dead2.lab.test  A   127.0.0.18   # nobody listens, and no other domain is there

mx.test         MX  10 mx1.lab.test
batch.test      MX  10 mx1.lab.test
xn--bcher-kva.test  MX  10 mx1.lab.test
busyfirst.test  MX  10 busy.lab.test
busyfirst.test  MX  20 mx2.lab.test
deadfirst.test  MX  10 dead2.lab.test
deadfirst.test  MX  20 mx2.lab.test
old.test        MX  10 old.lab.test
mxcut.test      MX  10 mx1.lab.test
dead.test       MX  10 dead.lab.test
tls.test        MX  10 tls.lab.test
holefirst.test  MX  10 hole.lab.test
holefirst.test  MX  20 mx2.lab.test
refusesfirst.test  MX  10 refuses.lab.test
refusesfirst.test  MX  20 mx2.lab.test
down.test       MX  10 down.lab.test
second.test     MX  10 mx2.lab.test
small.test      MX  10 mx1.lab.test
slow.test       MX  10 mx1.lab.test
few.test        MX  10 mx1.lab.test
ten.test        MX  10 ten.lab.test
five.test       MX  10 five.lab.test
dsn.test        MX  10 dsn.lab.test
closes.test     MX  10 closes.lab.test
leaves.test     MX  10 leaves.lab.test
resets.test     MX  10 resets.lab.test
null.test       MX  0 .
servfail.test   *   SERVFAIL
"""

CONFIG = """
helo_name = "host.lab.test"
smtp_port = {port}
dns_servers = {{"127.0.0.1:{dns_port}"}}
refused_networks = {{}}
state_directory = "{state}"
"""


def run(*command, guard=GUARD, **options):
    """Run a command to its end; its output. A failure is an error with that output."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=guard, **options)
    text = done.stdout.decode('utf-8', 'replace')
    if done.returncode:
        raise AssertionError(f'{" ".join(command)}: status {done.returncode}\n{text}')
    return text


def wait_until(ready, what):
    """Poll until ready() gives something true."""
    end = time.monotonic() + GUARD
    while not (found := ready()):
        if time.monotonic() > end:
            raise AssertionError(f'waited {GUARD} s for {what() if callable(what) else what}')
        time.sleep(POLL)
    return found


def answers(address, port):
    with socket.socket() as s:
        return s.connect_ex((address, port)) == 0


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def ensure_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        run('useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent',
            '--shell', '/usr/sbin/nologin', name)


def read(path):
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def write(path, text, mode=0o644):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def processes_with(text):
    """Ids of the processes, other than this one, with `text` in their command line."""
    found = []
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        pid = int(path.split('/')[2])
        try:
            with open(path, 'rb') as f:
                if pid != os.getpid() and text.encode() in f.read():
                    found.append(pid)
        except OSError:
            pass
    return found


def state_and_parent(pid):
    """As in /proc; a process that is not there is dead."""
    try:
        words = read(f'/proc/{pid}/stat').rpartition(')')[2].split()
        return words[0], int(words[1])
    except OSError:
        return 'X', 0


def children(parent):
    return [pid for pid in map(int, filter(str.isdigit, os.listdir('/proc'))) if state_and_parent(pid)[1] == parent]


def wait_dead(pids):
    """A killed process lives on for a while, and is its child's parent for as long."""
    wait_until(lambda: all(state_and_parent(pid)[0] in 'ZX' for pid in pids), f'the death of {pids}')


class Log:
    """The log file of a host."""

    def __init__(self, path):
        self.path = path

    def text(self):
        return read(self.path) if os.path.exists(self.path) else ''

    def mark(self):
        return len(self.text())

    def wait(self, pattern, since=0):
        return wait_until(lambda: re.search(pattern, self.text()[since:]),
                          lambda: f'"{pattern}" in the log; it has:\n{self.text()[since:]}')

    def count(self, pattern, since=0):
        return len(re.findall(pattern, self.text()[since:]))


def crlf(message):
    return re.sub(rb'(?<!\r)\n', b'\r\n', message)


def swaks(port, sender, recipients, message):
    """Inject the message, given with LF or CRLF line ends, exactly as it is; the queue id that the host gave."""
    data = re.sub(rb'(^|\r\n)\.', rb'\1..', crlf(message))
    data += b'.\r\n' if not data or data.endswith(b'\r\n') else b'\r\n.\r\n'
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        text = run('swaks', '--server', '127.0.0.1', '--port', str(port), '--helo', 'client.lab.test',
                   '--from', sender or '<>', '--to', ','.join(recipients), '--data', '@' + f.name,
                   '--no-data-fixup', '--timeout', str(GUARD))
    return re.search(r'250 .*(?:queued as |id=)(\S+)', text).group(1)


def submit(port, sender, recipient, message, mail=(), rcpt=()):
    """For what swaks cannot say: parameters of MAIL FROM and RCPT TO. The queue id, as swaks()."""
    with smtplib.SMTP('127.0.0.1', port, 'client.lab.test', timeout=GUARD) as s:
        s.ehlo()
        s.command_encoding = 'utf-8'
        for reply in (s.mail(sender, list(mail)), s.rcpt(recipient, list(rcpt)), done := s.data(crlf(message))):
            if reply[0] != 250:
                raise AssertionError(f'the host refused the message: {reply}')
    return re.search(r'(?:queued as |id=)(\S+)', done[1].decode()).group(1)


def become_ready():
    os.umask(0o022)
    os.environ['PATH'] = '/usr/sbin:/usr/bin:/sbin:/bin'
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    ensure_user('mxdirect')


class Build:
    """The tree, built from scratch in build/NAME and installed where the user mxdirect can reach it, which is not so below
    /root. `program` is the installed mxdirect; close() removes what was installed. With a prefix given: what is there."""

    def __init__(self, name, prefix=None):
        become_ready()
        self.temporary = None if prefix else tempfile.mkdtemp(prefix='mxdirect-inst-', dir='/tmp')
        self.prefix = prefix or self.temporary
        if self.temporary:
            self.make(os.path.join(TREE, 'build', name))
        self.program = os.path.join(self.prefix, 'sbin', 'mxdirect')
        run('runuser', '-u', 'mxdirect', '--', self.program, '--version')

    def make(self, directory):
        os.chmod(self.prefix, 0o755)
        configure = os.path.join(TREE, 'configure')
        if not os.path.exists(configure):
            run('autoreconf', '-fi', TREE, guard=BUILD_GUARD)
        shutil.rmtree(directory, ignore_errors=True)  # its objects know the old prefix
        os.makedirs(directory)
        run(configure, '--quiet', '--prefix=' + self.prefix, cwd=directory, guard=BUILD_GUARD)
        run('make', '--quiet', f'-j{os.cpu_count()}', 'install', cwd=directory, guard=BUILD_GUARD)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.temporary:
            shutil.rmtree(self.temporary)


class Lab:
    """program: the mxdirect to test. dns_port: another name server than the lab's own. hosts: more MX hosts. memory: whether
    runs remember things for each other. zone: more records of the lab's name server."""

    def __init__(self, program, dns_port=None, hosts=(), memory=False, zone=''):
        become_ready()
        self.program = program
        self.parts = []
        self.dns = dns.Server(ZONE + zone)
        self.mx = mx.Servers([*HOSTS, *hosts])
        self.directory = tempfile.mkdtemp(prefix='mxdirect-lab-', dir='/tmp')
        os.chmod(self.directory, 0o755)
        for name in ('trace', 'state'):
            os.mkdir(self.path(name))
            shutil.chown(self.path(name), 'mxdirect', 'mxdirect')
        self.config = write(self.path('mxdirect.conf'),
                            CONFIG.format(port=self.mx.port, dns_port=dns_port or self.dns.port,
                                          state=self.path('state') if memory else ''))
        self.trace = Log(self.path('trace', 'trace'))

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for part in self.parts:
            part.stop()
        self.mx.close()
        self.dns.close()
        # An agent outlives the host that started it; without its MX it ends at once.
        wait_until(lambda: not processes_with(self.directory), 'the last agents')
        shutil.rmtree(self.directory)

    def command(self, program=None, mode=''):
        """How the examples' mxdirect is called here."""
        return f'{program or self.program}{mode} -c {self.config} --trace {self.trace.path}'

    def example(self, name, program=None):
        """An example, with the paths of this lab in it."""
        text = read(os.path.join(EXAMPLES, name))
        if INSTALLED not in text:
            raise AssertionError(f'{name} does not start {INSTALLED}')
        for mode in (' --lmtp', ''):  # which must come first on the command line
            text = text.replace(INSTALLED + mode, self.command(program, mode))
        return text.replace('/etc/postfix/', self.path('postfix') + '/')

    def add(self, part):
        self.parts.append(part)
        return part

    def postfix(self):
        return self.add(Postfix(self))

    def postfix_lmtp(self):
        return self.add(PostfixLmtp(self))

    def exim(self, binary):
        return self.add(Exim(self, binary))

    def exim_lmtp(self, binary):
        return self.add(Exim(self, binary, 'exim-lmtp', 'exim-lmtp.conf'))


POSTFIX_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n  -  n  60 1  pickup
cleanup   unix  n  -  n  -  0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -  -  trivial-rewrite
bounce    unix  -  -  n  -  0  bounce
defer     unix  -  -  n  -  0  bounce
trace     unix  -  -  n  -  0  bounce
verify    unix  -  -  n  -  1  verify
flush     unix  n  -  n  1000?  0  flush
proxymap  unix  -  -  n  -  -  proxymap
smtp      unix  -  -  n  -  -  smtp
showq     unix  n  -  n  -  -  showq
error     unix  -  -  n  -  -  error
retry     unix  -  -  n  -  -  error
discard   unix  -  -  n  -  -  discard
anvil     unix  -  -  n  -  1  anvil
scache    unix  -  -  n  -  1  scache
postlog   unix-dgram n - n - 1 postlogd
"""

POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = host.lab.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtputf8_enable = yes
strict_smtputf8 = no
message_size_limit = 104857600
transport_maps = texthash:{dir}/postfix/transport
smtpd_client_message_rate_limit = 0
# A throttled service must not hold up the next story.
service_throttle_time = 1s
transport_retry_time = 1s
"""


class Postfix:
    """A private instance: configuration, queue and log in the lab's directory, or in one of its own there."""

    def __init__(self, lab, name=''):
        self.lab = lab
        self.base = lab.path(name).rstrip('/')
        os.makedirs(self.base, exist_ok=True)
        self.directory = self.path('postfix')  # Postfix checks the owner of everything below its configuration
        self.port = free_port()
        self.log = Log(self.path('maillog'))
        for each in ('postfix', 'queue', 'data'):
            os.mkdir(self.path(each))
        shutil.chown(self.path('data'), 'postfix')
        self.transport = f'lab.test smtp:[127.0.0.6]:{lab.mx.port}\n'  # where DSNs go
        self.master = POSTFIX_MASTER.format(port=self.port)
        self.main = POSTFIX_MAIN.format(dir=self.base)
        self.wire()

    def path(self, *names):
        return os.path.join(self.base, *names)

    def wire(self):
        """What makes it use mxdirect."""
        self.master += self.lab.example('postfix-master.cf')
        self.main += read(os.path.join(EXAMPLES, 'postfix-main.cf'))
        shutil.copy(os.path.join(EXAMPLES, 'mxdirect_safety'), self.directory)

    def add_transport(self, name, program, domain, main=''):
        """The recommended transport once more, under another name and with another program, for a domain."""
        self.master += self.lab.example('postfix-master.cf', program).replace('mxpipe ', name + ' ')
        self.main += main.replace('mxpipe', name)
        self.transport += f'{domain} {name}:\n'

    def postfix(self, verb):
        return run('postfix', '-c', self.directory, verb)

    def configure(self, main=''):
        for name, text in (('main.cf', self.main + main), ('master.cf', self.master), ('transport', self.transport)):
            write(os.path.join(self.directory, name), text)

    def running(self):
        """The id of its first process."""
        path = self.path('queue', 'pid', 'master.pid')
        pid = int(read(path)) if os.path.exists(path) else 0
        return pid if pid and state_and_parent(pid)[0] not in 'ZX' else None

    def start(self, main=''):
        self.configure(main)
        self.postfix('start')
        wait_until(lambda: answers('127.0.0.1', self.port), 'smtpd')

    def stop(self):
        if master := self.running():
            all_of_it = [master] + children(master)
            self.postfix('stop')
            wait_dead(all_of_it)

    def send(self, sender, recipients, message):
        return swaks(self.port, sender, recipients, message)

    def flush(self):
        run('postqueue', '-c', self.directory, '-f')

    def drop(self, queue_id):
        """Forget a message. postsuper wants the log, which only a running Postfix has."""
        if self.running():
            run('postsuper', '-c', self.directory, '-d', queue_id)
        for path in glob.glob(self.path('queue', '**', queue_id), recursive=True):
            os.remove(path)

    def verdict(self, queue_id, to='', since=0):
        """(dsn, status, text) of the log line for the recipient."""
        m = self.log.wait(rf'{queue_id}: to=<[^>]*{re.escape(to)}[^>]*>,.* dsn=(\S+), status=(\S+) \((.*)\)', since)
        return m.group(1), m.group(2), m.group(3)


class PostfixLmtp(Postfix):
    """One that uses mxdirect over LMTP."""

    def __init__(self, lab):
        super().__init__(lab, 'postfix-lmtp')

    def wire(self):
        self.master += self.lab.example('postfix-lmtp-master.cf')
        self.main += read(os.path.join(EXAMPLES, 'postfix-lmtp-main.cf'))

    def add_transport(self, name, program, domain, change=lambda text: text):
        """The recommended services once more, under other names and with changes, for a domain."""
        services = change(self.lab.example('postfix-lmtp-master.cf', program))
        self.master += services.replace('mxlmtp ', name + ' ').replace('mxagent ', name + 'agent ')
        self.transport += f'{domain} {name}:unix:private/{name}agent\n'


EXIM_CONFIG = """
primary_hostname = host.lab.test
exim_path = {binary}
spool_directory = {dir}/spool
log_file_path = {dir}/%slog
log_selector = +smtp_confirmation
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
pid_file_path = {dir}/pid
domainlist local_domains = lab.test
acl_smtp_rcpt = accept
acl_smtp_data = accept
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
keep_environment =
qualify_domain = lab.test
queue_only
begin routers
{router}
inbox:
  driver = accept
  domains = +local_domains
  transport = inbox
begin transports
{transport}
inbox:
  driver = appendfile
  file = {dir}/inbox/mbox
  user = mxdirect
  group = mxdirect
begin retry
*  *  F,1h,1s
"""


class Exim:
    """Receives on a loopback port and queues; deliver() then makes one attempt, as root, since -C drops privileges."""

    address = '127.0.0.1'

    def __init__(self, lab, binary, name='exim', example='exim-pipe.conf'):
        self.binary = binary
        self.lab = lab
        self.example = example
        self.directory = lab.path(name)
        self.port = free_port()
        self.config = os.path.join(self.directory, 'exim.conf')
        self.log = Log(os.path.join(self.directory, 'mainlog'))
        self.daemon = None
        for name in ('', 'spool', 'inbox'):
            os.mkdir(os.path.join(self.directory, name))
        for name in ('', 'spool'):
            shutil.chown(os.path.join(self.directory, name), 'Debian-exim', 'Debian-exim')
        shutil.chown(os.path.join(self.directory, 'inbox'), 'mxdirect', 'mxdirect')
        self.configure()

    def configure(self, program=None, change=lambda text: text):
        transport, router = change(self.lab.example(self.example, program)).split('\n\n')
        write(self.config, EXIM_CONFIG.format(dir=self.directory, binary=self.binary, port=self.port,
                                              router=router, transport=transport))

    def exim(self, *arguments):
        return run(self.binary, '-C', self.config, *arguments)

    def start(self):
        self.daemon = subprocess.Popen([self.binary, '-C', self.config, '-bdf'], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.address, self.port), 'the Exim daemon')

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(GUARD)
            self.daemon = None

    def send(self, sender, recipients, message):
        return swaks(self.port, sender, recipients, message)

    def deliver(self, message_id):
        """One attempt; what the main log has to say about it."""
        since = self.log.mark()
        self.exim('-Mc', message_id)
        return self.log.text()[since:]

    def queue(self):
        return re.findall(r'\S{6}-\S{6}-\S{2}', self.exim('-bpr'))

    def kill_deliveries(self):
        pids = [pid for pid in processes_with(self.config) if pid != self.daemon.pid]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # gone with the one killed before
                os.kill(pid, signal.SIGKILL)
        wait_dead(pids)

    def bounce_of(self, message_id):
        """The text of the bounce that the message caused."""
        m = self.log.wait(rf'(\S{{6}}-\S{{6}}-\S{{2}}) <= <> R={message_id}')
        return self.exim('-Mvc', m.group(1))

    def drop(self, *message_ids):
        self.exim('-Mrm', *message_ids)


EXIM_USER = 'Debian-exim'


def unpack_exim(lab):
    """Debian's Exim without installing it, since that would remove Postfix. Its libraries must be there."""
    ensure_user(EXIM_USER)
    cache = os.path.join(TREE, 'build', 'packages')
    os.makedirs(cache, exist_ok=True)
    if not glob.glob(os.path.join(cache, 'exim4-daemon-light_*.deb')):
        run('apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', 'exim4-daemon-light', cwd=cache)
    package = sorted(glob.glob(os.path.join(cache, 'exim4-daemon-light_*.deb')))[-1]
    run('dpkg', '-x', package, lab.path('exim-unpacked'))
    binary = lab.path('exim-unpacked', 'usr', 'sbin', 'exim4')
    os.chmod(binary, 0o755)  # no need for setuid, all is run by root
    return binary
