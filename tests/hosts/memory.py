# SPDX-License-Identifier: ISC
"""Stories of what mxdirect remembers from one message to the next."""

import contextlib
import os
import re
import signal
import socket
import subprocess

import lab
from stories import PLAIN, SENDER, equal, match, only, story, without_received

# Of the lab's mxdirect.conf.
CONFIG = """
domain "holefirst.test" {
        connect_timeout = 1s
}
"""
HOLE = '127.0.0.8'


@contextlib.contextmanager
def hole(address, port):
    """Nothing that is sent there is answered: Linux drops what comes for a listener whose queue is full."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        with socket.create_connection((address, port)):
            yield


def status(w, *arguments):
    """What mxdirectctl says, as the user that owns the memory; to know nothing is no error here."""
    done = subprocess.run(['runuser', '-u', 'mxdirect', '--', w.ctl, 'status', '-c', w.lab.config, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=lab.GUARD)
    text = done.stdout.decode()
    if done.returncode not in (0, 1):
        raise AssertionError(f'mxdirectctl: status {done.returncode}: {text}')
    return text


def answered_from_memory(w, queue_id, to, since, mark):
    """The host's next try is answered without a connection."""
    _dsn, fate, text = w.postfix.verdict(queue_id, since=mark)
    equal(fate, 'sent', text)
    match('by an earlier run', text, 'log')
    equal([e for e in w.mx.events[since:] if e.kind == 'connect'], [], 'connections for what was delivered')
    equal(without_received(only(w, to).data), lab.crlf(PLAIN), 'message')


@story('memory: postfix stopped after the final dot, started again: one copy')
def _(w):
    since, postfix = len(w.mx.events), w.postfix
    q = postfix.send(SENDER, ['slow-dot@mx.test'], PLAIN)
    w.mx.wait('dot', since)
    postfix.stop()
    w.mx.release()
    w.lab.trace.wait(rf'{q}: to=<slow-dot@mx\.test>, .*status=sent \(250 ')
    only(w, 'slow-dot@')
    since, mark = len(w.mx.events), postfix.log.mark()
    postfix.start()
    answered_from_memory(w, q, 'slow-dot@', since, mark)


@story('memory: guard and agent killed after the MX said 250, before they told Postfix: one copy')
def _(w):
    since, postfix = len(w.mx.events), w.postfix
    q = postfix.send(SENDER, ['slow-dot-kill@mx.test'], PLAIN)
    w.mx.wait('dot', since)
    agent = next(pid for pid in lab.processes_with(q) if lab.state_and_parent(pid)[1] in lab.processes_with(q))
    guard = lab.state_and_parent(agent)[1]
    os.kill(guard, signal.SIGSTOP)  # the agent's last question before its report is to the guard
    w.mx.release()
    lab.wait_until(lambda: 'may not know' in status(w, q), 'the note of the delivery')
    mark = postfix.log.mark()
    for pid in (agent, guard):
        os.kill(pid, signal.SIGKILL)
    equal(postfix.verdict(q)[1], 'deferred', 'log')
    since = len(w.mx.events)

    def sent():
        postfix.flush()
        return postfix.log.count(rf'{q}: to=.* status=sent', mark)
    lab.wait_until(sent, 'the answer from memory')
    answered_from_memory(w, q, 'slow-dot-kill@', since, postfix.log.text().rindex(f'{q}: to='))


def straight(w, domain, first):
    """The first MX is silent: the first message finds out, the second knows."""
    for number, tries in enumerate((1, 0)):
        q = w.postfix.send(SENDER, [f'{number}@{domain}'], PLAIN)
        _dsn, fate, text = w.postfix.verdict(q)
        equal(fate, 'sent', text)
        equal(only(w, f'{number}@{domain}').host, 'mx2.lab.test', 'host')
        w.lab.trace.wait(rf'{q}: to=')
        equal(w.lab.trace.count(rf'{q}: host={first}\.lab\.test\[\S+, event=no response, '), tries, f'tries of {first}')


@story('memory: the first MX refuses connections: the second message goes straight to the second')
def _(w):
    straight(w, 'refusesfirst.test', 'refuses')


@story('memory: the first MX drops packets: the second message goes straight to the second')
def _(w):
    with hole(HOLE, w.mx.port):
        straight(w, 'holefirst.test', 'hole')


@story('memory: a domain that is down is not tried for each message')
def _(w):
    for number in range(2):
        q = w.postfix.send(SENDER, [f'{number}@down.test'], PLAIN)
        dsn, fate, text = w.postfix.verdict(q)
        equal((dsn, fate), ('4.4.1', 'deferred'), text)
        match(r'connect to down\.lab\.test\[127\.0\.0\.11\]:\d+: Connection refused', text, 'the reason')
        equal(bool(re.search(r'remembered; next try at \d{4}-', text)), number == 1, f'from memory: {text}')
        w.postfix.drop(q)


@story('memory: mxdirectctl shows a message that waits, until it is delivered')
def _(w):
    postfix = w.postfix
    q = postfix.send(SENDER, ['451-status@mx.test'], PLAIN)

    def tries():
        line = re.search(rf'{q} +451-status@mx\.test +(\d+) ', status(w))
        return int(line.group(1)) if line else 0

    def tried_again():
        postfix.flush()
        return tries() >= 2
    equal(postfix.verdict(q)[:2], ('4.2.1', 'deferred'), 'log')
    lab.wait_until(lambda: tries() == 1, f'{q} in mxdirectctl status')
    lab.wait_until(tried_again, 'a second try')
    details = status(w, q)
    for pattern in (r'To:? +451-status@mx\.test', r'Verdict:? +4\.2\.1 mx1\.lab\.test', '451 4.2.1 mailbox busy'):
        match(pattern, details, 'details')
    w.mx.forgive('451-status@')

    def sent():
        postfix.flush()
        return postfix.log.count(rf'{q}: to=.* status=sent')
    lab.wait_until(sent, 'the delivery')
    lab.wait_until(lambda: not tries(), f'the end of {q} in mxdirectctl status')


@story('memory: a directory that is not ours: the mail goes on, one line in the log says so')
def _(w):
    good = lab.read(w.lab.config)
    os.makedirs(w.lab.path('root-state'), mode=0o700, exist_ok=True)
    lab.write(w.lab.config, good.replace(w.lab.path('state'), w.lab.path('root-state')))
    mark = w.lab.trace.mark()
    try:
        q = w.postfix.send(SENDER, ['ok-memory@mx.test'], PLAIN)
        equal(w.postfix.verdict(q)[1], 'sent', 'log')
        w.lab.trace.wait(rf'{q}: to=.*status=sent')
    finally:
        lab.write(w.lab.config, good)
    equal(w.lab.trace.count(rf'going on without memory: {w.lab.path("root-state")}: ', mark), 1, 'lines in the log')
    only(w, 'ok-memory@')
