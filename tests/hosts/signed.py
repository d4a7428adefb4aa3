# SPDX-License-Identifier: ISC
"""DNSSEC on loopback, with nothing but its own: zones below "test" that Knot signs and serves, and an Unbound that validates
them from the key of "test" and asks nobody else.

A zone is the text of a zone file without SOA and NS. How it is broken is said by its Zone.

Where there is a service manager, Debian starts a knotd and an unbound of its own, on port 53 of loopback, when the packages
are installed; without one, as in a container, nothing is started. Those are not used here and not in the way: the ports
here are free ones, and all files are in the given directory."""

import os
import re
import shutil
import subprocess
import time

import dns
import lab

START = '$TTL 300\n@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n@ NS ns.test.\n'
DAY = 86400

KNOT = """
server:
    listen: 127.0.0.1@{port}
    rundir: {dir}
database:
    storage: {dir}
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: {dir}
    zonefile-sync: -1
    journal-content: none
policy:
  - id: own
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
    rrsig-lifetime: 14d
    rrsig-refresh: 7d
zone:
"""

# "test" is special to Unbound (RFC 6761); all other names are answered without asking anybody.
UNBOUND = """
server:
    interface: 127.0.0.1
    port: {port}
    directory: "{dir}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 0
    num-threads: 1
    so-rcvbuf: 0
    do-ip6: no
    do-not-query-localhost: no
    module-config: "validator iterator"
    trust-anchor: "{anchor}"
    local-zone: "." static
    local-zone: "test." transparent
    target-fetch-policy: "0 0 0 0 0"
remote-control:
    control-enable: no
"""


class Zone:
    """signed: it has a key, and the zone above says so. expired, broken: what has a signature that has run out, or one that
    does not fit, as patterns for "NAME TYPE", the name without the zone's; '' is all of it."""

    def __init__(self, text, signed=True, expired=None, broken=None):
        self.text, self.signed, self.expired, self.broken = text, signed, expired, broken


class Signed:
    """The zones {name: Zone} at work until close(). `port` is where Unbound answers."""

    def __init__(self, directory, zones):
        self.directory, self.zones, self.servers = directory, zones, []
        os.mkdir(directory)
        self.conf = os.path.join(directory, 'knot.conf')
        knot_port = self.free_port()
        text = KNOT.format(port=knot_port, dir=directory)
        for name in ['test', *zones]:
            text += f'  - domain: {name}\n    file: {name}.zone\n    dnssec-policy: own\n'
        lab.write(self.conf, text)
        self.make_zones()
        self.port = self.free_port()
        anchor = self.key('test', 'ds').splitlines()[0]
        text = UNBOUND.format(port=self.port, dir=directory, anchor=anchor)
        for name in ['test', *zones]:
            text += f'stub-zone:\n    name: "{name}"\n    stub-addr: 127.0.0.1@{knot_port}\n'
        unbound = lab.write(os.path.join(directory, 'unbound.conf'), text)
        # Where there is AppArmor, Debian's profile keeps the one in /usr/sbin to its own files.
        program = shutil.copy('/usr/sbin/unbound', directory)
        try:
            self.start(knot_port, 'knotd', '-c', self.conf)
            self.start(self.port, program, '-d', '-c', unbound)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def free_port():
        udp, tcp = dns.bind_both('127.0.0.1')
        port = udp.getsockname()[1]
        udp.close()
        tcp.close()
        return port

    def key(self, zone, *command):
        return lab.run('keymgr', '--mono', '-c', self.conf, zone, *command)

    def make_zones(self):
        above = 'ns A 127.0.0.1\n'
        for name, zone in self.zones.items():
            above += f'{name}. NS ns.test.\n'
            if zone.signed:
                self.generate(name)
                above += self.key(name, 'ds')
            self.make(name, zone)
        self.generate('test')
        self.make('test', Zone(above))

    def generate(self, name):
        self.key(name, 'generate', 'algorithm=ecdsap256sha256', 'ksk=yes', 'zsk=yes', f'created=-{60 * DAY}',
                 f'publish=-{60 * DAY}', f'ready=-{60 * DAY}', f'active=-{60 * DAY}')

    def make(self, name, zone):
        path = os.path.join(self.directory, name + '.zone')
        lab.write(path, f'$ORIGIN {name}.\n' + START + zone.text)
        if not zone.signed:
            return
        old = self.sign(name, time.time() - 40 * DAY) if zone.expired is not None else []
        lines = [line for line in self.sign(name, time.time())
                 if not self.is_signature(line, name, zone.expired) and not self.is_signature(line, name, zone.broken)]
        lines += [line for line in old if self.is_signature(line, name, zone.expired)]
        if zone.broken is not None:
            lines += [self.spoil(line) for line in self.sign(name, time.time())
                      if self.is_signature(line, name, zone.broken)]
        lab.write(path, ''.join(lines))

    def sign(self, name, when):
        """The lines of the signed zone; the file itself stays as it was."""
        out = os.path.join(self.directory, f'signed-{name}')
        os.makedirs(out, exist_ok=True)
        lab.run('kzonesign', '-c', self.conf, '-o', out, '-t', str(int(when)), name)
        with open(os.path.join(out, name + '.zone'), encoding='ascii') as f:
            return f.readlines()

    @staticmethod
    def is_signature(line, name, pattern):
        words = line.split()
        if pattern is None or 'RRSIG' not in words[:4]:
            return False
        owner = re.sub(rf'\.?{re.escape(name)}\.$', '', words[0])
        return re.search(pattern, f'{owner} {words[words.index("RRSIG") + 1]}') is not None

    @staticmethod
    def spoil(line):
        """Another signature, of the same form."""
        head, _, signature = line.rstrip('\n').rpartition(' ')
        letter = 'A' if signature[8] != 'A' else 'B'
        return f'{head} {signature[:8]}{letter}{signature[9:]}\n'

    def start(self, port, *command):
        with open(os.path.join(self.directory, os.path.basename(command[0]) + '.log'), 'wb') as log:
            self.servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        lab.wait_until(lambda: lab.answers('127.0.0.1', port), command[0])

    def close(self):
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait(lab.GUARD)
