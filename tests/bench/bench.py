# SPDX-License-Identifier: ISC
"""What the parts of tests/bench/run share."""

import os
import re
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'hosts'))
import lab  # noqa: E402
import mx  # noqa: E402

SENDER, RECIPIENT = 's@lab.test', 'r@sink.test'
RUNS = 200  # of each program, one after the other in turn
SINK, SECURE = '127.0.0.8', '127.0.0.9'


class Bench:
    def __init__(self, program):
        dns_port = lab.free_port()
        self.secure = mx.Host('tls.lab.test', SECURE)
        self.lab = lab.Lab(program, dns_port, [self.secure])
        self.parts = []
        for name, flags in (('once', ['-static']), ('drain', ['-static']), ('dnsstub', ['-static']), ('empty', []),
                            ('copy', [])):
            lab.run('cc', '-O2', '-D_GNU_SOURCE', *flags, '-o', self.lab.path(name), os.path.join(HERE, name + '.c'))
        self.servers = [subprocess.Popen(['smtp-sink', '-u', 'postfix', f'{SINK}:{self.lab.mx.port}', '256']),
                        self.stub(dns_port, SINK)]
        lab.wait_until(lambda: lab.answers(SINK, self.lab.mx.port), 'smtp-sink')

    def stub(self, port, *addresses):
        return subprocess.Popen([self.lab.path('dnsstub'), str(port), *addresses])

    def resolver(self, address):
        """The option for a name server by which all mail goes to this address."""
        port = lab.free_port()
        self.servers.append(self.stub(port, address))
        return f'dns_servers=127.0.0.1:{port}'

    def close(self):
        for part in self.parts:
            part.close()
        for server in self.servers:
            server.terminate()
            server.wait()
        self.lab.close()

    def file(self, name, data):
        with open(self.lab.path(name), 'wb') as f:
            f.write(data)
        os.chmod(f.name, 0o644)
        return f.name

    def mxdirect(self, *options, to=RECIPIENT, queue_id=''):
        options = [word for option in options for word in ('-o', option)]
        queue_id = ['-i', queue_id] if queue_id else []
        return [self.lab.program, '-c', self.lab.config, *options, *queue_id, '-f', SENDER, '--', to]

    def msmtp(self, host, *options):
        return ['msmtp', '-C', '/dev/null', '--host=' + host, f'--port={self.lab.mx.port}', '--from=' + SENDER,
                '--domain=host.lab.test', '--auth=off', *options, '--', RECIPIENT]

    def memory(self, name):
        """An option by which runs as root remember things for each other."""
        os.makedirs(self.lab.path(name), 0o700, exist_ok=True)
        return 'state_directory=' + self.lab.path(name)

    def message(self):
        return self.file('4k', b'Subject: 4 KB\n\n' + b'0123456789' * 7 + b'\n' + (b'0123456789' * 7 + b'\n') * 57)

    def once(self, message, command):
        """(processor ms, wall ms, peak MiB) of one run."""
        done = subprocess.run([self.lab.path('once'), message, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=lab.GUARD, check=True)
        cpu, wall, peak, status = map(int, done.stdout.split())
        if status:
            raise AssertionError(f'{command[0]}: status {status}: {done.stderr.decode()}')
        return cpu / 1000, wall / 1000, peak / 1024

    def series(self, runs, programs):
        """Each program `runs` times in turn; {name: list of results}. A command may be a function of the run's number."""
        results = {name: [] for name in programs}
        for number in range(runs):
            for name, (message, command) in programs.items():
                results[name].append(self.once(message, command(number) if callable(command) else command))
        return results


def line(what, value, goal='', met=None):
    mark = '' if met is None else ('  reached' if met else '  NOT REACHED')
    print(f'{what:<58} {value:>8}  {goal:<22}{mark}', flush=True)


def ratio_line(what, mine, other, goal, most):
    line(what, f'{mine / other:.2f}', goal, mine / other <= most)


def table(title, got):
    print(f'\n{title:<46} min / median of CPU ms     of wall ms     peak MiB')
    for name, results in got.items():
        cpu, wall, peak = zip(*results)
        print(f'  {name:<36}      {min(cpu):8.2f} / {statistics.median(cpu):6.2f}  '
              f'{min(wall):8.2f} / {statistics.median(wall):6.2f}     {max(peak):6.1f}')


def load(postfix, domain, messages, recipients=1):
    """Fill the queue of a Postfix that holds what comes (HOLD)."""
    lab.run('smtp-source', '-s', '10', '-m', str(messages), '-r', str(recipients), '-l', '4096', '-f', SENDER,
            '-t', 'r@' + domain, f'127.0.0.1:{postfix.port}')


def drain(postfix, messages):
    """Release the queue; messages a second until the last delivery."""
    since = postfix.log.mark()
    lab.run('postsuper', '-c', postfix.directory, '-H', 'ALL')
    begin, removed, rest = time.monotonic(), 0, b''
    postfix.flush()
    with open(postfix.log.path, 'rb') as f:
        f.seek(since)

        def done():
            nonlocal removed, rest
            text, _, rest = (rest + f.read()).rpartition(b'\n')
            removed += text.count(b': removed')
            if b'status=deferred' in text or b'status=bounced' in text:
                raise AssertionError(b'\n'.join(re.findall(rb'.*(?:status=[db]|warning: |fatal: ).*', text)).decode())
            return removed >= messages
        lab.wait_until(done, f'{messages} deliveries')
    return messages / (time.monotonic() - begin)


HOLD = 'smtpd_client_restrictions = static:HOLD\n'
