# SPDX-License-Identifier: ISC
"""The part `memory` of tests/bench/run. Runs in a network and mount namespace of its own."""

import statistics
import subprocess
import time

from bench import RECIPIENT, RUNS, SENDER, SINK, lab, line, table

COST = 0.5          # ms that the memory may take from a run
PARALLEL, TIMES = 100, 5
FIRST = 'r@first.test'  # dnsstub gives it another MX, HOLE, before the one that takes mail
HOLE = '192.0.2.1'  # routed to where nobody has it, and nobody says so
PATIENCE = 5        # s for a connect, for all programs
NORMAL = 20         # runs to a domain all of whose hosts are well


def cost(b):
    message, state = b.message(), b.memory('state-cost')
    got = b.series(RUNS, {
        'no memory': (message, lambda n: b.mxdirect(queue_id=f'N{n}')),
        'memory': (message, lambda n: b.mxdirect(state, queue_id=f'M{n}')),
        'memory, delivered already': (message, lambda n: b.mxdirect(state, queue_id=f'M{n}'))})
    table(f'One message of 4 KB with and without state_directory, {RUNS} runs of each', got)
    for what, column in (('CPU', 0), ('wall', 1)):
        for name, pick in (('min', min), ('median', statistics.median)):
            more = pick([r[column] for r in got['memory']]) - pick([r[column] for r in got['no memory']])
            line(f'{what} ms of the memory ({name})', f'{more:.2f}', f'less than {COST}', more < COST)


def at_once(b, options, prefix):
    """Wall ms of PARALLEL runs that are started as fast as can be."""
    path = b.message()
    commands = [b.mxdirect(*options, queue_id=f'{prefix}N{n}') for n in range(PARALLEL)]
    begin = time.monotonic()
    running = []
    for command in commands:
        with open(path, 'rb') as message:
            running.append(subprocess.Popen(command, stdin=message, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    said = [(p, p.communicate(timeout=lab.GUARD)[1]) for p in running]
    took = (time.monotonic() - begin) * 1000
    for p, text in said:
        if p.returncode:
            raise AssertionError(f'status {p.returncode}: {text.decode()}')
    return took


def parallel(b):
    state = b.memory('state-parallel')
    kinds = {'no memory': (), 'memory, 20 slots for the domain': (state,),
             'memory, no slots': (state, 'max_per_destination=0')}
    got = {name: [] for name in kinds}
    for turn in range(TIMES):
        for kind, (name, options) in enumerate(kinds.items()):
            got[name].append(at_once(b, options, f'P{turn}K{kind}'))
    print(f'\n{PARALLEL} runs at once, one state_directory, {TIMES} times: all succeeded'
          f'{"min / median of wall ms":>33}')
    for name, found in got.items():
        print(f'  {name:<36}      {min(found):8.0f} / {statistics.median(found):6.0f}')
    for name in list(kinds)[1:]:
        line(f'wall time, {name} / no memory (median)',
             f'{statistics.median(got[name]) / statistics.median(got["no memory"]):.2f}')


class Smtp(lab.Postfix):
    """Without mxdirect: its smtp(8) sends, by the MX records of the domains."""

    def wire(self):
        for address in FIRST, RECIPIENT:
            domain = address.partition('@')[2]
            self.transport += f'{domain} smtp:{domain}:{self.lab.mx.port}\n'


def smtp_ms(postfix, recipient):
    """From the submission to the log line of the delivery."""
    begin = time.monotonic()
    queue_id = lab.submit(postfix.port, SENDER, recipient, b'Subject: hole\n\nhole\n')
    if postfix.verdict(queue_id)[1] != 'sent':
        raise AssertionError(postfix.log.text())
    return (time.monotonic() - begin) * 1000


def hole(b):
    lab.run('ip', 'route', 'add', HOLE, 'dev', 'lo')
    b.servers.append(b.stub(53, SINK, HOLE))
    message = b.message()
    options = ('dns_servers=127.0.0.1', f'connect_timeout={PATIENCE}s', b.memory('state-hole'))

    def mxdirect(to, number):
        return b.once(message, b.mxdirect(*options, to=to, queue_id=f'H{number}{to[0]}'))[1]
    mine, normal, then = mxdirect(FIRST, 0), [], []
    for number in range(1, NORMAL + 1):
        normal.append(mxdirect(RECIPIENT, number))
        then.append(mxdirect(FIRST, number))
    postfix = Smtp(b.lab, 'smtp')
    b.lab.parts.append(postfix)
    postfix.start(f'smtp_connect_timeout = {PATIENCE}s\n')
    smtp = [statistics.median(smtp_ms(postfix, RECIPIENT) for _ in range(NORMAL)), smtp_ms(postfix, FIRST),
            smtp_ms(postfix, FIRST)]
    postfix.stop()
    usual, second = statistics.median(normal), statistics.median(then)
    print(f'\nThe first MX of a domain drops packets, the second takes mail; connect timeout {PATIENCE} s: wall ms')
    print(f'{"":<38}{"other domain":>14}{"first message":>16}{"second":>10}')
    for name, *found in ('mxdirect', usual, mine, second), ('smtp(8), from the submission on', *smtp):
        print(f'  {name:<36}{found[0]:14.1f}{found[1]:16.1f}{found[2]:10.1f}')
    line('wall time of second / first message', f'{second / mine:.4f}', 'at most 0.1', second / mine <= 0.1)
    line(f'wall time of second / to the other domain ({NORMAL}, median)', f'{second / usual:.2f}',
         'no time lost: at most 1.2', second / usual <= 1.2)
    line('wall time of second / first message, smtp(8)', f'{smtp[2] / smtp[1]:.2f}')


def bench_memory(b):
    cost(b)
    parallel(b)
    hole(b)
