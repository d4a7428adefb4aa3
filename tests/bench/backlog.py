# SPDX-License-Identifier: ISC
"""The part `lmtp` of tests/bench/run. In a network and mount namespace of its own smtp(8) asks the same name server."""

import glob
import os
import socket
import statistics
import subprocess

from bench import HERE, HOLD, drain, lab, line, load
import certificates

MESSAGES, ROUNDS = 1000, 3
PROCESSES = 20
ADDRESS = '127.0.0.18'
MINE, MEMORY, SMTP, REUSE = 'mxdirect, LMTP', 'mxdirect, LMTP, memory', 'smtp(8)', 'smtp(8), smtp_tls_connection_reuse'
CASES = {'plain': (MINE, MEMORY, SMTP), 'tls': (MINE, MEMORY, SMTP, REUSE)}
GOAL = 1.0


def domain_of(case, sender):
    return f'{case}{list(CASES["tls"]).index(sender)}.test'


DOMAINS = {(case, sender): domain_of(case, sender) for case, senders in CASES.items() for sender in senders}


class Sink:
    """All mail goes there."""

    def __init__(self, b, chain):
        lab.run('cc', '-O2', '-D_GNU_SOURCE', '-o', b.lab.path('sink'), os.path.join(HERE, 'sink.c'), '-lgnutls')
        self.port = lab.free_port()
        b.servers.append(subprocess.Popen([b.lab.path('sink'), ADDRESS, str(self.port), chain]))
        lab.wait_until(lambda: lab.answers(ADDRESS, self.port), 'the sink')

    def counts(self):
        """Of connections, messages and recipients so far."""
        with socket.create_connection((ADDRESS, self.port)) as s, s.makefile('rw', newline='\r\n') as f:
            f.readline()
            f.write('STAT\nQUIT\n')
            f.flush()
            return [int(word) for word in f.readline().split()[1:]]


def seconds_of_tree(root):
    """Processor time of a process and its descendants, those included that have ended and were waited for. What the living
    ones took is known to the nanosecond, clock ticks would be too coarse for so many that did little."""
    tree, parent, waited = {root}, {}, {}
    for path in glob.glob('/proc/[0-9]*'):
        try:
            words = lab.read(path + '/stat').rpartition(')')[2].split()
        except OSError:
            continue
        pid = int(path.split('/')[2])
        parent[pid], waited[pid] = int(words[1]), (int(words[13]) + int(words[14])) / os.sysconf('SC_CLK_TCK')
    while more := {pid for pid, p in parent.items() if p in tree} - tree:
        tree |= more
    total = sum(waited.get(pid, 0) for pid in tree)
    for pid in tree:
        for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
            try:
                total += int(lab.read(path).split()[0]) / 1e9
            except OSError:
                pass
    return total


def make_postfix(b, sink, roots):
    """With a transport for each case and sender."""
    postfix = lab.PostfixLmtp(b.lab)
    b.lab.parts.append(postfix)
    postfix.master += 'tlsmgr unix - - n 1000? 1 tlsmgr\ntlsproxy unix - - n - 0 tlsproxy\n'
    postfix.main += HOLD
    tls = {'plain': 'tls = none\n', 'tls': f'tls = verify\ntls_ca_file = "{roots}"\n'}
    # Not by -o: tlsproxy(8) wants to know, too.
    postfix.main += (f'smtp_tls_CAfile = {roots}\nsmtp_tls_security_level = verify\n'
                     'smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache\n')
    smtp_tls = {'plain': ' -o smtp_tls_security_level=none', 'tls': ''}
    for (case, sender), domain in DOMAINS.items():
        name = domain.partition('.')[0]
        if sender in (MINE, MEMORY):
            state = b.lab.path('state') if sender == MEMORY else ''
            config = lab.write(b.lab.path(name + '.conf'),
                               lab.CONFIG.format(port=sink.port, dns_port=53, state=state) + tls[case])
            postfix.add_transport(name, None, domain, lambda text, to=config: text.replace(b.lab.config, to).replace(
                ' --trace ' + b.lab.trace.path, ''))
            postfix.main += f'{name}_destination_concurrency_limit = {PROCESSES}\n'
        else:
            reuse = ' -o smtp_tls_connection_reuse=yes' if sender == REUSE else ''
            postfix.master += f'{name} unix - - n - {PROCESSES} smtp{smtp_tls[case]}{reuse}\n'
            postfix.transport += f'{domain} {name}:{domain}:{sink.port}\n'
    return postfix


def one(postfix, sink, domain, recipients):
    """(messages a second, CPU ms of the sending side a message, connections)."""
    load(postfix, domain, MESSAGES, recipients)
    cpu, before = seconds_of_tree(postfix.running()), sink.counts()
    rate = drain(postfix, MESSAGES)
    cpu, after = seconds_of_tree(postfix.running()) - cpu, sink.counts()
    connections, messages, rcpts = (a - b for a, b in zip(after, before))
    if (messages, rcpts) != (MESSAGES, MESSAGES * recipients):
        raise AssertionError(f'the sink has {messages} messages for {rcpts} recipients')
    return rate, cpu * 1000 / MESSAGES, connections


def show(case, recipients, got):
    print(f'\nThrough Postfix, {case}, {recipients} recipient{"s"[recipients == 1:]} a message, {ROUNDS} times {MESSAGES} '
          f'messages of 4 KB, {PROCESSES} processes\n{"":<44}messages/s best / median     CPU ms a message     connections')
    for name, found in got.items():
        rate, cpu, connections = zip(*found)
        print(f'  {name:<36}      {max(rate):12.0f} / {statistics.median(rate):6.0f}        {statistics.median(cpu):12.2f}'
              f'      {statistics.median(connections):10.0f}')
    rate, cpu = ({name: statistics.median(r[column] for r in found) for name, found in got.items()} for column in (0, 1))
    best = max((name for name in got if name in (SMTP, REUSE)), key=rate.get)
    for name in MINE, MEMORY:
        ratio = rate[name] / rate[best]
        line(f'rate of {name} / {best.partition(",")[0]} at its best', f'{ratio:.2f}', f'at least {GOAL}', ratio >= GOAL)
        line(f'CPU of {name} / {best.partition(",")[0]}', f'{cpu[name] / cpu[best]:.2f}')


def bench_lmtp(b):
    made = certificates.Certificates(b.lab.path('certificates'))
    made.make('root', certificates.CA)
    made.make('mx', 'subjectAltName=' + ','.join(f'DNS:mx.{domain}' for domain in DOMAINS.values()), 'root')
    sink = Sink(b, made.path('mx.chain'))
    b.servers.append(b.stub(53, ADDRESS))
    postfix = make_postfix(b, sink, made.path('root.pem'))
    postfix.start()
    for case, senders in CASES.items():
        for recipients in 1, 10:
            got = {sender: [] for sender in senders}
            for _ in range(ROUNDS):
                for sender in senders:
                    got[sender].append(one(postfix, sink, DOMAINS[case, sender], recipients))
            show(case, recipients, got)
    postfix.stop()
