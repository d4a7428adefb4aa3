# SPDX-License-Identifier: ISC
"""Stories of LMTP: Postfix's lmtp(8) with spawn(8), Exim's lmtp transport. One message, many recipients, each with an answer of
its own."""

import os
import re
import subprocess

import lab
from stories import BODIES, HEADER, PLAIN, SENDER, equal, match, only, story, without_received

# Of the lab's mxdirect.conf.
CONFIG = """
domain "small.test" {
        message_size_limit = 20K
}
"""
BIG = HEADER + b'\n' + b'30 kilobytes of text, in lines\n' * 1000
UTF8 = HEADER + 'Subject: Grüße\n\nHällo.\n'.encode()
MX1 = r'mx1\.lab\.test\[127\.0\.0\.2\]:\d+'  # as mxdirect calls it
REFUSED = MX1 + r' said: 550 5\.1\.1 no such user here \(in reply to RCPT TO\)'
PUT_OFF = MX1 + r' said: 451 4\.2\.1 mailbox busy, try later \(in reply to RCPT TO\)'
NOT_THIS = MX1 + r' said: 554 5\.7\.1 not this message \(in reply to end of data\)'
MIXED = ['ok-{}@mx.test', '550-{}@mx.test', '451-{}@mx.test', '554-{}@batch.test', 'ok2-{}@mx.test']


def add_transports(postfix):
    """What some stories need besides the recommended services."""
    def with_option(option):
        return lambda text: text.replace('--lmtp', '--lmtp -o ' + option)
    postfix.add_transport('mxgone', '/nonexistent/mxdirect', 'gone.test')
    postfix.add_transport('mxnoagent', None, 'noagent.test')
    postfix.add_transport('mxsmall', None, 'smallall.test', with_option('message_size_limit=20K'))
    postfix.add_transport('mxdsn', None, 'dsn.test', with_option('lmtp_dsn=yes'))
    postfix.add_transport('mxslow', None, 'slow.test', lambda text: text.replace('1800s', '1s'))
    postfix.add_transport('mxfew', None, 'few.test')
    postfix.main += 'mxfew_destination_concurrency_limit = 2\n'
    for domain in ('closes.test', 'leaves.test', 'resets.test'):
        postfix.transport += f'{domain} mxfew:unix:private/mxfewagent\n'


def recipients_stored(w, word):
    """All recipients with this word that MX hosts took a message for, as often as they did."""
    return sorted(r.split()[0].strip('<>') for m in w.mx.for_rcpt(word) for r in m.rcpt)


def sessions_since(w, since, host):
    return len({e.session for e in w.mx.events[since:] if e.kind == 'connect' and e.host == host})


def kinds_since(w, since, kind, host):
    return sum(e.kind == kind and e.host == host for e in w.mx.events[since:])


def named(patterns, name):
    return [p.format(name) for p in patterns]


# Postfix

@story('lmtp postfix sent, with the queue id in our log')
def _(w):
    q = w.postfix_lmtp.send(SENDER, ['ok-lmtp@mx.test'], PLAIN)
    dsn, status, text = w.postfix_lmtp.verdict(q)
    equal((dsn, status), ('2.0.0', 'sent'), text)
    match(rf'^250 2\.0\.0 {MX1} (\S+ )*250 2\.0\.0 Ok: queued as', text, 'log')
    m = only(w, 'ok-lmtp@mx.test')
    equal(without_received(m.data), lab.crlf(PLAIN), 'message')
    equal(m.mail.split()[0], f'<{SENDER}>', 'MAIL FROM')
    w.lab.trace.wait(rf'{q}: to=<ok-lmtp@mx\.test>, relay={MX1}, .*dsn=2\.0\.0, status=sent')


@story('lmtp postfix mixed fates: each recipient has its own line and its own DSN')
def _(w):
    postfix = w.postfix_lmtp
    postfix.stop()
    postfix.start('maximal_queue_lifetime = 0\n')
    q = postfix.send(SENDER, named(MIXED, 'mixed'), PLAIN)
    for to in ('ok-mixed@mx.test', 'ok2-mixed@mx.test'):
        equal(postfix.verdict(q, to)[:2], ('2.0.0', 'sent'), to)
    for to, code, status, why in (('550-mixed@mx.test', '5.1.1', 'bounced', REFUSED),
                                  ('451-mixed@mx.test', '4.2.1', 'deferred', PUT_OFF),
                                  ('554-mixed@batch.test', '5.7.1', 'bounced', NOT_THIS)):
        dsn, got, text = postfix.verdict(q, to)
        equal((dsn, got), (code, status), to)
        match(why, text, to)
        fields = w.dsn(to, 'failed')
        equal(fields['Status'], code, to)
        match(r'^smtp; (550|451) ' + code.replace('.', r'\.') + ' ' + why, fields['Diagnostic-Code'], to)
    postfix.stop()
    equal(recipients_stored(w, '-mixed@'), ['ok-mixed@mx.test', 'ok2-mixed@mx.test'], 'stored')
    equal(len(w.mx.for_rcpt('-mixed@')), 1, 'messages')


@story('lmtp postfix three domains in one transaction: sent, deferred, bounced')
def _(w):
    q = w.postfix_lmtp.send(SENDER, ['ok-three@mx.test', 'x-three@dead.test', 'x-three@null.test'], PLAIN)
    equal(w.postfix_lmtp.verdict(q, 'ok-three@')[:2], ('2.0.0', 'sent'), 'first')
    dsn, status, text = w.postfix_lmtp.verdict(q, 'x-three@dead')
    equal((dsn, status), ('4.4.1', 'deferred'), text)
    match(r'connect to dead\.lab\.test\[127\.0\.0\.7\]:\d+: Connection refused', text, 'second')
    dsn, status, text = w.postfix_lmtp.verdict(q, 'x-three@null')
    equal((dsn, status), ('5.1.10', 'bounced'), text)
    only(w, 'ok-three@')
    w.postfix_lmtp.drop(q)
    q = w.postfix_lmtp.send(SENDER, ['ok-afterwards@mx.test'], PLAIN)
    equal(w.postfix_lmtp.verdict(q)[1], 'sent', 'a dead domain holds up no other')


@story('lmtp postfix 120 recipients in two domains')
def _(w):
    recipients = [f'crowd{n}@{("mx.test", "second.test")[n % 2]}' for n in range(120)]
    q = w.postfix_lmtp.send(SENDER, recipients, PLAIN)
    for to in recipients:
        equal(w.postfix_lmtp.verdict(q, to)[1], 'sent', to)
    equal(recipients_stored(w, 'crowd'), sorted(recipients), 'stored')
    equal(len(w.mx.for_rcpt('crowd')) <= 6, True, 'no more than a message for each domain and each 50 recipients')


@story('lmtp postfix a server that takes ten, one that takes five recipients at a time')
def _(w):
    for name, most, refused in (('ten', 10, 0), ('five', 5, 25)):
        since = len(w.mx.events)
        recipients = [f'r{n}-{name}@{name}.test' for n in range(30)]
        q = w.postfix_lmtp.send(SENDER, recipients, PLAIN)
        for to in recipients:
            equal(w.postfix_lmtp.verdict(q, to)[1], 'sent', to)
        equal(recipients_stored(w, f'-{name}@'), sorted(recipients), 'stored')
        equal({len(m.rcpt) for m in w.mx.for_rcpt(f'-{name}@')}, {most}, 'recipients of a transaction')
        equal(sessions_since(w, since, f'{name}.lab.test'), 1, 'connections')
        got = kinds_since(w, since, 'toomany', f'{name}.lab.test')
        equal((got >= refused, got == 0), (True, refused == 0), f'{got} recipients refused with 452')


def backlog(w, domain, slow, more):
    """Messages of which the first `slow` keep all places that there are until the others are queued; all are sent then."""
    postfix, since = w.postfix_lmtp, len(w.mx.events)
    mark = postfix.log.mark()
    first = [f'slow-dot-{n}-log@{domain}' for n in range(slow)]
    others = [f'{n}-log@{domain}' for n in range(1, more + 1)]
    for to in first:
        postfix.send(SENDER, [to], PLAIN)
    for to in first:
        w.mx.wait('dot', since, detail=to)
    lab.run('smtp-source', '-s', '2', '-m', str(more), '-N', '-f', SENDER, '-t', '-log@' + domain,
            f'127.0.0.1:{postfix.port}')
    w.mx.release()
    for to in first + others:
        postfix.log.wait(rf'to=<{to}>.* status=sent', mark)
    equal(postfix.log.count('status=deferred', mark), 0, 'messages deferred')
    equal(recipients_stored(w, '-log@' + domain), sorted(first + others), 'stored')
    return since, mark


@story('lmtp postfix backlog: sessions are used again, by Postfix and by us')
def _(w):
    since, mark = backlog(w, 'few.test', 2, 28)
    equal(w.postfix_lmtp.log.count('conn_use=', mark) > 10, True, 'Postfix used its connections to us again')
    equal(sessions_since(w, since, 'mx1.lab.test') < 15, True, 'connections to the MX')
    equal(kinds_since(w, since, 'rset', 'mx1.lab.test') > 10, True, 'we used our connections to the MX again')
    lab.wait_until(lambda: kinds_since(w, since, 'closed', 'mx1.lab.test') == sessions_since(w, since, 'mx1.lab.test'),
                   'the end of all sessions')
    equal({e.detail for e in w.mx.events[since:] if e.kind == 'closed'}, {'quit'}, 'how the sessions ended')


@story('lmtp postfix backlog at servers that end idle sessions: no deferral')
def _(w):
    for domain in ('closes', 'leaves', 'resets'):
        since, _mark = backlog(w, domain + '.test', 2, 8)
        equal(sessions_since(w, since, domain + '.lab.test'), 10, 'connections')
        if domain == 'resets':
            equal(kinds_since(w, since, 'rset', domain + '.lab.test') > 0, True, 'we wanted to use one again')


def killed(w, step):
    """Postfix dies while the MX keeps us waiting at this step; no copy too many, none too few."""
    since, postfix = len(w.mx.events), w.postfix_lmtp
    to = f'slow-{step}-killed@mx.test'
    q = postfix.send(SENDER, [to], PLAIN)
    first = w.mx.wait(step, since, detail=to)
    postfix.stop()
    w.mx.release()
    if step == 'dot':
        w.lab.trace.wait(rf'{q}: to=<{to}>, .*status=sent')
    else:
        w.mx.wait('lost', since, session=first.session, detail='data')
    equal(len(w.mx.for_rcpt(to)), int(step == 'dot'), 'stored after the death')
    since, mark = len(w.mx.events), postfix.log.mark()
    postfix.start()
    if step != 'dot':
        w.mx.wait(step, since, detail=to)
        w.mx.release()
    _dsn, status, text = postfix.verdict(q, since=mark)
    equal(status, 'sent', text)
    if step == 'dot':
        match(r'by an earlier run', text, 'log')
        equal([e for e in w.mx.events[since:] if e.kind == 'connect'], [], 'connections for what was delivered')
    equal(without_received(only(w, to).data), lab.crlf(PLAIN), 'message')


@story('lmtp postfix killed while the reply to RCPT is awaited: once')
def _(w):
    killed(w, 'rcpt')


@story('lmtp postfix killed right before the final dot: once')
def _(w):
    killed(w, 'data')


@story('lmtp postfix killed between the final dot and its reply: once')
def _(w):
    killed(w, 'dot')


@story('lmtp postfix gives up before the MX has answered: once')
def _(w):
    since, postfix = len(w.mx.events), w.postfix_lmtp
    q = postfix.send(SENDER, ['slow-dot-limit@slow.test'], PLAIN)
    w.mx.wait('dot', since)
    dsn, status, text = postfix.verdict(q)
    equal((dsn, status), ('4.4.2', 'deferred'), text)
    match('timed out', text, 'log')
    w.mx.release()
    w.lab.trace.wait(rf'{q}: to=<slow-dot-limit@slow\.test>, .*status=sent')

    def sent():
        postfix.flush()
        return postfix.log.count(rf'{q}: to=<slow-dot-limit@slow\.test>.* status=sent .*by an earlier run')
    lab.wait_until(sent, 'the answer from memory')
    only(w, 'slow-dot-limit@')


@story('lmtp postfix byte for byte')
def _(w):
    for number, (name, message) in enumerate(BODIES):
        recipient = f'bytes{number}-lmtp@mx.test'
        q = w.postfix_lmtp.send(SENDER, [recipient], message)
        equal(w.postfix_lmtp.verdict(q)[1], 'sent', name)
        got = only(w, recipient).data
        if name == 'no header':  # Postfix adds the headers that a local client left out.
            equal(got.partition(b'\r\n\r\n')[2], lab.crlf(message)[2:], name)
        else:
            equal(without_received(got), lab.crlf(message), name)


@story('lmtp postfix UTF-8 addresses and header')
def _(w):
    for recipient in ('grün-lmtp@mx.test', 'u-lmtp@bücher.test'):
        q = lab.submit(w.postfix_lmtp.port, SENDER, recipient, UTF8, ['SMTPUTF8', 'BODY=8BITMIME'])
        equal(w.postfix_lmtp.verdict(q)[1], 'sent', recipient)
    m = only(w, '<grün-lmtp@mx.test>')
    equal('SMTPUTF8' in m.mail and 'BODY=8BITMIME' in m.mail, True, 'MAIL FROM has SMTPUTF8 and BODY')
    equal(without_received(m.data), lab.crlf(UTF8), 'message')
    match(r'<u-lmtp@(bücher|xn--bcher-kva)\.test>', only(w, '<u-lmtp@').rcpt[0], 'RCPT TO')
    q = lab.submit(w.postfix_lmtp.port, SENDER, 'grün-lmtp@old.test', PLAIN, ['SMTPUTF8'])
    equal(w.postfix_lmtp.verdict(q)[:2], ('5.6.7', 'bounced'), 'a server without SMTPUTF8')


@story('lmtp postfix null sender, quoted local parts')
def _(w):
    q = w.postfix_lmtp.send('', ['null-lmtp@mx.test', '"lmtp a@b"@mx.test', r'"lmtp\"b"@mx.test'], PLAIN)
    for to in ('null-lmtp@', 'lmtp a@b', 'lmtp'):
        equal(w.postfix_lmtp.verdict(q, to)[1], 'sent', to)
    m = only(w, 'null-lmtp@')
    equal(m.mail.split()[0], '<>', 'MAIL FROM')
    equal(sorted(m.rcpt), sorted(['<null-lmtp@mx.test>', '<"lmtp a@b"@mx.test>', r'<"lmtp\"b"@mx.test>']), 'RCPT TO')


@story('lmtp postfix message too large: bounced')
def _(w):
    for domain in ('smallall.test', 'small.test'):
        q = w.postfix_lmtp.send(SENDER, ['big-lmtp@' + domain], BIG)
        dsn, status, text = w.postfix_lmtp.verdict(q)
        equal((dsn, status), ('5.3.4', 'bounced'), text)
    match(r'message_size_limit', text, 'log')
    equal(w.mx.for_rcpt('big-lmtp@'), [], 'stored')


@story('lmtp postfix success DSN is Postfix\'s own, unless DSN is offered and goes on to the MX')
def _(w):
    port = w.postfix_lmtp.port
    asked = ['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;Orig+2Bx@lab.test']
    lab.submit(port, SENDER, 'notify-lmtp@mx.test', PLAIN, ['RET=HDRS', 'ENVID=ab+2Bc'], asked)
    fields = w.dsn('notify-lmtp@mx.test', 'relayed')
    equal(fields['Status'], '2.0.0', 'Status')
    match(rf'^smtp; 250 2\.0\.0 {MX1} 250 2\.0\.0 Ok: queued as', fields['Diagnostic-Code'], 'Diagnostic-Code')

    q = lab.submit(port, SENDER, 'notify-lmtp@dsn.test', PLAIN, ['RET=HDRS', 'ENVID=ab+2Bc'], asked)
    equal(w.postfix_lmtp.verdict(q)[1], 'sent', 'log')
    m = only(w, 'notify-lmtp@dsn.test')
    equal({'RET=HDRS', 'ENVID=ab+2Bc'} <= set(m.mail.split()), True, f'MAIL FROM:{m.mail}')
    equal(set(m.rcpt[0].split()[1:]), set(asked), 'RCPT TO')
    w.postfix_lmtp.log.wait(rf'{q}: removed')
    equal([d for d in w.mx.for_rcpt(SENDER) if b'notify-lmtp@dsn.test' in d.data], [], 'DSNs of Postfix')


@story('lmtp postfix without mxdirect, with half of it: deferred')
def _(w):
    q = w.postfix_lmtp.send(SENDER, ['x@gone.test'], PLAIN)
    equal(w.postfix_lmtp.verdict(q)[1], 'deferred', 'mxdirect is missing')
    w.postfix_lmtp.drop(q)
    kept = w.agent + '.kept'
    os.rename(w.agent, kept)
    try:
        for name, instead in (('missing', '/nonexistent/agent'), ('not loading', w.not_loading()),
                              ('segfault', w.script('segv', 'kill -SEGV $$')), ('silent success', '/bin/true'),
                              ('noise', w.script('noise', 'echo 550 5.1.1 gone; echo 550 gone >&2; exit 67'))):
            os.symlink(instead, w.agent)
            mark = w.postfix_lmtp.log.mark()
            q = w.postfix_lmtp.send(SENDER, ['x@noagent.test'], PLAIN)
            equal(w.postfix_lmtp.verdict(q, since=mark)[1], 'deferred', name)
            w.postfix_lmtp.drop(q)
            os.remove(w.agent)
    finally:
        os.rename(kept, w.agent)


@story('lmtp postfix bad configuration: deferred, and nothing is held up afterwards')
def _(w):
    good, postfix = lab.read(w.lab.config), w.postfix_lmtp
    lab.write(w.lab.config, good + 'nonsense = 1\n')
    domains = ('mx.test', 'batch.test', 'second.test', 'null.test', 'small.test', 'nowhere.invalid')
    try:
        ids = [postfix.send(SENDER, ['config-lmtp@' + domain], PLAIN) for domain in domains]
        for q in ids:
            dsn, status, text = postfix.verdict(q)
            equal((dsn, status), ('4.3.5', 'deferred'), text)
            match(rf'{w.lab.config}:{good.count(chr(10)) + 1}: .*nonsense', text, 'file and line')
    finally:
        lab.write(w.lab.config, good)
    mark = postfix.log.mark()
    q = postfix.send(SENDER, ['later-lmtp@mx.test'], PLAIN)
    equal(postfix.verdict(q)[1], 'sent', 'the next message')
    equal(postfix.log.count('delivery temporarily suspended', mark), 0, 'suspensions')
    for q in ids:
        postfix.drop(q)


# Exim

@story('lmtp exim sent')
def _(w):
    i = w.exim_lmtp.send(SENDER, ['ok-exlmtp@mx.test'], PLAIN)
    log = w.exim_lmtp.deliver(i)
    match(rf'{i} => ok-exlmtp <ok-exlmtp@mx\.test> R=mxdirect_r T=mxdirect_lmtp .*'
          rf'C="250 2\.0\.0 {MX1} (\S+ )*250 2\.0\.0 Ok: queued as', log, 'log')
    m = only(w, 'ok-exlmtp@')
    equal(without_received(m.data), lab.crlf(PLAIN), 'message')
    equal(m.mail.split()[0], f'<{SENDER}>', 'MAIL FROM')
    w.lab.trace.wait(rf'{i}: to=<ok-exlmtp@mx\.test>, relay={MX1}, .*status=sent')


@story('lmtp exim mixed fates: each recipient has its own line, the sender gets the reasons')
def _(w):
    i = w.exim_lmtp.send(SENDER, named(MIXED, 'exmix'), PLAIN)
    log = w.exim_lmtp.deliver(i)
    for local, how, why in (('ok-exmix', '[=-]>', '250 2.0.0 '), ('ok2-exmix', '[=-]>', '250 2.0.0 '),
                            ('550-exmix', r'\*\*', r'550 5\.1\.1 ' + REFUSED),
                            ('451-exmix', '==', r'451 4\.2\.1 ' + PUT_OFF),
                            ('554-exmix', r'\*\*', r'550 5\.7\.1 ' + NOT_THIS)):
        match(rf'{i} {how} {local}[ @].*{why}', log, local)
    bounce = re.sub(r'\s+', ' ', w.exim_lmtp.bounce_of(i))
    match(r'550-exmix@mx\.test LMTP error after end of data: 550 5\.1\.1 ' + REFUSED, bounce, 'bounce')
    match(r'554-exmix@batch\.test LMTP error after end of data: 550 5\.7\.1 ' + NOT_THIS, bounce, 'bounce')
    equal(recipients_stored(w, '-exmix@'), ['ok-exmix@mx.test', 'ok2-exmix@mx.test'], 'stored')
    equal(len(w.mx.for_rcpt('-exmix@')), 1, 'messages')
    w.exim_lmtp.drop(i)


@story('lmtp exim three domains in one transaction: sent, deferred, bounced')
def _(w):
    i = w.exim_lmtp.send(SENDER, ['ok-exthree@mx.test', 'x-exthree@dead.test', 'x-exthree@null.test'], PLAIN)
    log = w.exim_lmtp.deliver(i)
    match(rf'{i} => ok-exthree ', log, 'first')
    match(rf'{i} == x-exthree@dead\.test .*451 4\.4\.1 connect to dead\.lab\.test', log, 'second')
    match(rf'{i} \*\* x-exthree@null\.test .*550 5\.1\.10 ', log, 'third')
    only(w, 'ok-exthree@')
    w.exim_lmtp.drop(i)


@story('lmtp exim 120 recipients in two domains')
def _(w):
    recipients = [f'excrowd{n}@{("mx.test", "second.test")[n % 2]}' for n in range(120)]
    i = w.exim_lmtp.send(SENDER, recipients, PLAIN)
    log = w.exim_lmtp.deliver(i)
    equal(len(re.findall(rf'{i} [=-]> excrowd', log)), 120, 'delivered')
    equal(recipients_stored(w, 'excrowd'), sorted(recipients), 'stored')
    equal(len(w.mx.for_rcpt('excrowd')) <= 6, True, 'no more than a message for each domain and each 50 recipients')


@story('lmtp exim byte for byte')
def _(w):
    for number, (name, message) in enumerate(BODIES):
        recipient = f'bytes{number}-exlmtp@mx.test'
        i = w.exim_lmtp.send(SENDER, [recipient], message)
        match(rf'{i} => bytes', w.exim_lmtp.deliver(i), name)
        equal(without_received(only(w, recipient).data), lab.crlf(message), name)


@story('lmtp exim null sender, quoted and UTF-8 addresses')
def _(w):
    i = w.exim_lmtp.send('', ['exlmtp-null@mx.test', '"exlmtp a b"@mx.test', r'"exlmtp\"b"@mx.test'], PLAIN)
    equal(len(re.findall(rf'{i} [=-]> ', w.exim_lmtp.deliver(i))), 3, 'delivered')
    m = only(w, 'exlmtp-null@')
    equal(m.mail.split()[0], '<>', 'MAIL FROM')
    equal(sorted(m.rcpt), sorted(['<exlmtp-null@mx.test>', '<"exlmtp a b"@mx.test>', r'<"exlmtp\"b"@mx.test>']), 'RCPT TO')
    i = lab.submit(w.exim_lmtp.port, SENDER, 'grün-exlmtp@mx.test', UTF8, ['SMTPUTF8'])
    match(rf'{i} => ', w.exim_lmtp.deliver(i), 'UTF-8')
    m = only(w, '<grün-exlmtp@mx.test>')
    equal('SMTPUTF8' in m.mail, True, 'MAIL FROM has SMTPUTF8')
    equal(without_received(m.data), lab.crlf(UTF8), 'message')


@story('lmtp exim message too large: bounced')
def _(w):
    for domain, change in (('small.test', lambda text: text),
                           ('mx.test', lambda text: text.replace('--lmtp', '--lmtp -o message_size_limit=20K'))):
        w.exim_lmtp.configure(change=change)
        i = w.exim_lmtp.send(SENDER, ['big-exlmtp@' + domain], BIG)
        log = w.exim_lmtp.deliver(i)
        w.exim_lmtp.configure()
        match(rf'{i} \*\* big-exlmtp@{domain} .*LMTP error .*55\d 5\.3\.4 .*message_size_limit', log, domain)
    equal(w.mx.for_rcpt('big-exlmtp@'), [], 'stored')


@story('lmtp exim without mxdirect, with half of it, with a bad configuration: deferred')
def _(w):
    def deferred(name, program=None):
        w.exim_lmtp.configure(program)
        i = w.exim_lmtp.send(SENDER, ['broken-exlmtp@mx.test'], PLAIN)
        log = w.exim_lmtp.deliver(i)
        w.exim_lmtp.configure()
        match(rf'{i} == broken-exlmtp@mx\.test', log, name)
        w.exim_lmtp.drop(i)
        return log
    deferred('gone', '/nonexistent/mxdirect')
    kept = w.agent + '.kept'
    os.rename(w.agent, kept)
    try:
        deferred('agent missing')
    finally:
        os.rename(kept, w.agent)
    good = lab.read(w.lab.config)
    lab.write(w.lab.config, good + 'nonsense = 1\n')
    try:
        log = deferred('bad configuration')
    finally:
        lab.write(w.lab.config, good)
    match(rf'451 4\.3\.5 {w.lab.config}:\d+: .*nonsense', log, 'the reason')
    equal(w.mx.for_rcpt('broken-exlmtp@'), [], 'stored')


def start_exim(w, message_id, how):
    return subprocess.Popen([w.exim_lmtp.binary, '-C', w.exim_lmtp.config, how, message_id])


def exim_killed(w, step):
    since, to = len(w.mx.events), f'slow-{step}-exkilled@mx.test'
    i = w.exim_lmtp.send(SENDER, [to], PLAIN)
    first_try = start_exim(w, i, '-Mc')
    first = w.mx.wait(step, since, detail=to)
    w.exim_lmtp.kill_deliveries()
    first_try.wait(lab.GUARD)
    w.mx.release()
    if step == 'dot':
        w.lab.trace.wait(rf'{i}: to=<{to}>, .*status=sent')
    else:
        w.mx.wait('lost', since, session=first.session, detail='data')
    equal(len(w.mx.for_rcpt(to)), int(step == 'dot'), 'stored after the death')
    since = len(w.mx.events)
    second_try = start_exim(w, i, '-M')
    if step != 'dot':
        w.mx.wait(step, since, detail=to)
        w.mx.release()
    second_try.wait(lab.GUARD)
    line = w.exim_lmtp.log.wait(rf'{i} => {to.split("@")[0]} .*').group()
    if step == 'dot':
        match('by an earlier run', line, 'log')
        equal([e for e in w.mx.events[since:] if e.kind == 'connect'], [], 'connections for what was delivered')
    equal(without_received(only(w, to).data), lab.crlf(PLAIN), 'message')


@story('lmtp exim killed while the reply to RCPT is awaited: once')
def _(w):
    exim_killed(w, 'rcpt')


@story('lmtp exim killed right before the final dot: once')
def _(w):
    exim_killed(w, 'data')


@story('lmtp exim killed between the final dot and its reply: once')
def _(w):
    exim_killed(w, 'dot')


@story('lmtp exim gives up before the MX has answered: once')
def _(w):
    since = len(w.mx.events)
    w.exim_lmtp.configure(change=lambda text: text.replace('timeout = 30m', 'timeout = 1s'))
    i = w.exim_lmtp.send(SENDER, ['slow-dot-exlimit@mx.test'], PLAIN)
    log = w.exim_lmtp.deliver(i)
    w.exim_lmtp.configure()
    match(rf'{i} == slow-dot-exlimit@mx\.test .*LMTP timeout', log, 'log')
    w.mx.wait('dot', since)
    w.mx.release()
    w.lab.trace.wait(rf'{i}: to=<slow-dot-exlimit@mx\.test>, .*status=sent')
    w.exim_lmtp.exim('-M', i)
    match('by an earlier run', w.exim_lmtp.log.wait(rf'{i} => slow-dot-exlimit .*').group(), 'log')
    only(w, 'slow-dot-exlimit@')
