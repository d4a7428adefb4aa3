# SPDX-License-Identifier: ISC
"""The demonstration, once everything is installed: builds mxdirect and sends five messages with swaks through Postfix and
mxdirect to MX hosts on loopback."""

import os
import re
import socket
import ssl
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'hosts'))
import lab  # noqa: E402
import mx  # noqa: E402

SYSLOG = '/dev/log'
SENDER = 'fred@lab.test'
MESSAGE = 'From: <{sender}>\nTo: <{recipient}>\nDate: Mon, 24 Nov 2025 06:00:00 +0000\nMessage-ID: <{number}@lab.test>\n' \
    'Subject: {subject}\n\nHello.\n.A line with a dot in front.\n'
STORIES = [('accepted', 'alice@mx.test', 'the MX takes it'),
           ('refused', '550@mx.test', 'the MX does not know the recipient: Postfix writes to the sender'),
           ('deferred', '451@mx.test', 'the MX says "try later": Postfix keeps it'),
           ('second MX', 'bob@busyfirst.test', 'the first MX is too busy, the second takes it'),
           ('TLS', 'carol@tls.test', 'the MX has STARTTLS, and a certificate that it made itself: TLS without a proof')]
SECURE = mx.Host('tls.lab.test', '127.0.0.9')


class Syslog:
    """Listens where syslog(3) sends, if nobody else does; otherwise the lines are read from mxdirect's trace."""

    def __init__(self, trace):
        self.trace, self.lines, self.socket = trace, [], None
        if os.path.lexists(SYSLOG):
            return
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(SYSLOG)
        os.chmod(SYSLOG, 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            line = self.socket.recv(8192).decode('utf-8', 'replace').rstrip('\n\0')
            self.lines.append(re.sub(r'^<\d+>', '', line))

    def about(self, queue_id):
        """Lines of one message, the last of them the one with the verdict."""
        def find():
            lines = self.lines if self.socket else self.trace.text().splitlines()
            found = [line for line in list(lines) if queue_id in line]
            return found if any(' status=' in line for line in found) else None
        return lab.wait_until(find, f'a log line of mxdirect about {queue_id}')

    def close(self):
        if self.socket:
            os.remove(SYSLOG)


def show(title, text):
    print(f'  {title}:')
    for line in text.splitlines():
        print(f'    {line}')


def certificate(world):
    """What the MX with STARTTLS shows."""
    path = world.path('tls.pem')
    lab.run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tls.lab.test',
            '-keyout', path, '-out', world.path('tls.crt'))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.path('tls.crt'), path)
    return context


def tell(world, postfix, syslog, number, story):
    name, recipient, what = story
    print(f'\n{number}. {name}: {recipient} ({what})')
    text = MESSAGE.format(sender=SENDER, recipient=recipient, number=number, subject=name)
    queue_id = postfix.send(SENDER, [recipient], text.encode())
    dsn, status, said = postfix.verdict(queue_id)
    print(f'  verdict: {status} {dsn}: {said}')
    stored = world.mx.for_rcpt(recipient)
    if stored:
        show(f'arrived at {stored[0].host}, from {stored[0].mail}', stored[0].data.decode())
    else:
        print('  arrived: nothing')
    if status == 'bounced':
        world.mx.wait('stored', detail=SENDER)
        bounce = world.mx.for_rcpt(SENDER)[-1].data.decode()
        show('what Postfix wrote to the sender', re.search(r'Final-Recipient:.*?\r\n\r\n', bounce, re.S).group(0))
    show("Postfix's log", re.search(rf'.* {queue_id}: to=.*', postfix.log.text()).group(0))
    show("mxdirect's log", '\n'.join(syslog.about(queue_id)))
    expected = {'accepted': 'sent', 'refused': 'bounced', 'deferred': 'deferred', 'second MX': 'sent',
                'TLS': 'sent'}[name]
    told = 'TLSv1.3 may' in said or name != 'TLS'
    return status == expected and told and bool(stored) == (expected == 'sent')


def main():
    print('- building', flush=True)
    with lab.Build('demo') as build, lab.Lab(build.program, hosts=[SECURE]) as world:
        SECURE.tls = certificate(world)
        print('- starting Postfix, a name server and MX hosts', flush=True)
        syslog = Syslog(world.trace)
        try:
            postfix = world.postfix()
            postfix.start()
            good = [tell(world, postfix, syslog, n, story) for n, story in enumerate(STORIES, 1)]
        finally:
            syslog.close()
    print(f'\n{sum(good)} of {len(good)} messages went as they should; nothing is left running.')
    sys.exit(0 if all(good) else 1)


if __name__ == '__main__':
    main()
