# SPDX-License-Identifier: ISC
"""Scripted MX hosts on loopback addresses, all in one thread. They keep messages byte for byte.

What a host answers is said by the local part of the recipient:

    550...        RCPT TO refused for ever          451...     RCPT TO refused for now
    554...        end of data refused for ever      drop-STEP  connection closed at STEP
    slow-STEP...  waits at STEP until release()     (anything else)  accepted

STEP is rcpt, data (the reply to DATA) or dot (the reply to the final dot). Everything that happens is an
Event; a test waits for one with wait()."""

import asyncio
import re
import socket
import threading
import time
from collections import namedtuple

Event = namedtuple('Event', 'kind host session detail at')
Message = namedtuple('Message', 'host session mail rcpt data')  # mail, rcpt: arguments as they came
GUARD = 120  # seconds after which a wait is called hung; nothing ever has to wait that long


class Host:
    """One address. busy: greets with 421. old: HELO only, no extensions. tls, which may be set later: what STARTTLS is
    done with, an SSL context; or bytes that answer the client's part of the handshake, before the connection is closed,
    where no bytes are no answer at all; or text that is injected before the handshake. offers: what EHLO has more under
    TLS; always: without it, too. most: recipients of a transaction, further ones are refused with 452. idle: what becomes
    of a session after its first message: "close"; "421", said right behind the reply to the final dot; "rset", a 421 to
    the RSET that comes then."""

    def __init__(self, name, address, busy=False, old=False, tls=None, offers=(), always=(), most=None, idle=None):
        self.name, self.address, self.busy, self.old, self.tls, self.offers = name, address, busy, old, tls, offers
        self.always, self.most, self.idle = always, most, idle


class Dropped(Exception):
    pass


class Session:
    number = 0

    def __init__(self, servers, host, reader, writer):
        Session.number += 1
        self.servers, self.host, self.reader, self.writer = servers, host, reader, writer
        self.number = Session.number
        self.step = 'greeting'
        self.mail, self.rcpt = None, []
        self.secured = False
        # asyncio does this only for sockets that it made itself.
        writer.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, kind, detail=''):
        self.servers.happened(Event(kind, self.host.name, self.number, detail, time.monotonic()))

    def reply(self, text):
        self.writer.write(text.encode() + b'\r\n')

    def asked(self, verb, step):
        """Whether a recipient of this transaction wants `verb` at this step."""
        return any(local_part(r).startswith(f'{verb}-{step}') for r in self.rcpt)

    async def point(self, step):
        self.step = step
        self.say(step, self.rcpt[-1] if self.rcpt else '')
        if self.asked('drop', step):
            raise Dropped
        if self.asked('slow', step):
            await self.servers.gate.wait()

    async def run(self):
        try:
            await self.converse()
        except (asyncio.IncompleteReadError, OSError):
            self.say('lost', self.step)
        except Dropped:
            pass
        finally:
            self.writer.close()
            self.say('closed', self.step)

    async def converse(self):
        self.say('connect')
        if self.host.busy:
            self.reply(f'421 4.3.2 {self.host.name} too busy')
            return
        self.reply(f'220 {self.host.name} ESMTP')
        while True:
            line = (await self.reader.readuntil(b'\r\n'))[:-2].decode('utf-8', 'surrogateescape')
            verb, _, rest = line.partition(' ')
            action = getattr(self, 'do_' + verb.lower(), None)
            if action is None:
                self.reply('502 5.5.1 what?')
            elif await action(rest):
                return

    async def do_ehlo(self, name):
        if self.host.old:
            self.reply('502 5.5.1 what?')
            return
        self.step = 'ehlo'
        self.say('ehlo', name)
        more = self.host.offers if self.secured else ['STARTTLS'] if self.host.tls is not None else []
        words = [self.host.name, 'PIPELINING', 'SIZE 104857600', *more, *self.host.always, 'ENHANCEDSTATUSCODES', '8BITMIME']
        self.reply(''.join(f'250-{word}\r\n' for word in words) + '250 SMTPUTF8')

    async def do_starttls(self, _rest):
        if self.host.tls is None or self.secured:
            self.reply('502 5.5.1 what?')
            return False
        self.say('starttls')
        if isinstance(self.host.tls, str):
            self.reply('220 2.0.0 go ahead\r\n' + self.host.tls)
            await self.reader.read()
            return True
        self.reply('220 2.0.0 go ahead')
        if isinstance(self.host.tls, bytes):
            while await self.reader.read(1) and not self.host.tls:
                pass
            self.writer.write(self.host.tls)
            await self.writer.drain()
            return True
        await self.writer.start_tls(self.host.tls)
        self.mail, self.rcpt, self.secured = None, [], True
        self.say('secured', self.writer.get_extra_info('ssl_object').version())
        return False

    async def do_helo(self, name):
        self.step = 'helo'
        self.say('helo', name)
        self.reply(f'250 {self.host.name}')

    async def do_mail(self, rest):
        self.mail, self.rcpt = rest.partition(':')[2].strip(), []
        self.step = 'mail'
        self.say('mail', self.mail)
        self.reply('250 2.1.0 Ok')

    async def do_rcpt(self, rest):
        to = rest.partition(':')[2].strip()
        local = local_part(to)
        if self.host.most is not None and len(self.rcpt) == self.host.most:
            self.say('toomany', to)
            self.reply('452 4.5.3 too many recipients')
        elif local.startswith('550'):
            self.say('rcpt', to)
            self.reply('550 5.1.1 no such user here')
        elif local.startswith('451') and not self.servers.is_forgiven(to):
            self.say('rcpt', to)
            self.reply('451 4.2.1 mailbox busy, try later')
        else:
            self.rcpt.append(to)
            await self.point('rcpt')
            self.reply('250 2.1.5 Ok')

    async def do_data(self, _rest):
        if not self.rcpt:
            self.reply('503 5.5.1 no recipient')
            return False
        await self.point('data')
        self.reply('354 end with a dot')
        lines = []
        while (line := await self.reader.readuntil(b'\r\n')) != b'.\r\n':
            lines.append(line[1:] if line.startswith(b'.') else line)
        await self.point('dot')
        if any(local_part(r).startswith('554') for r in self.rcpt):
            self.reply('554 5.7.1 not this message')
            return False
        self.servers.keep(Message(self.host.name, self.number, self.mail, list(self.rcpt), b''.join(lines)))
        more = f'\r\n421 4.4.2 {self.host.name} closes idle sessions' if self.host.idle == '421' else ''
        self.reply(f'250 2.0.0 Ok: queued as {self.number:04X}' + more)
        await self.writer.drain()
        self.say('stored', self.rcpt[-1])
        self.step, self.mail, self.rcpt = 'idle', None, []
        return self.host.idle in ('close', '421')

    async def do_rset(self, _rest):
        self.say('rset')
        if self.step == 'idle' and self.host.idle == 'rset':
            self.reply(f'421 4.4.2 {self.host.name} closes idle sessions')
            return True
        self.mail, self.rcpt = None, []
        self.reply('250 2.0.0 Ok')
        return False

    async def do_noop(self, _rest):
        self.reply('250 2.0.0 Ok')

    async def do_quit(self, _rest):
        self.step = 'quit'
        self.reply('221 2.0.0 bye')
        return True


def local_part(argument):
    """Of a RCPT argument, without the quotes."""
    path = re.match(r'<?("(?:[^"\\]|\\.)*"|[^@>]*)', argument).group(1)
    return path[1:-1] if path.startswith('"') else path


class Servers:
    """All hosts, one port, a thread of their own until close()."""

    def __init__(self, hosts):
        self.events, self.messages, self.forgiven = [], [], []
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Event()
        self.sockets, self.port = listen([h.address for h in hosts])
        self.tasks = set()
        self.thread = threading.Thread(target=self.serve, args=(hosts,), daemon=True)
        self.thread.start()

    def serve(self, hosts):
        asyncio.set_event_loop(self.loop)
        for host, s in zip(hosts, self.sockets):
            self.loop.run_until_complete(asyncio.start_server(self.accept(host), sock=s, limit=2**26))
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def accept(self, host):
        return lambda reader, writer: Session(self, host, reader, writer).run()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for s in self.sockets:
            s.close()

    def happened(self, event):
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def keep(self, message):
        with self.changed:
            self.messages.append(message)

    def forgive(self, text):
        """Recipients with this text in them are not refused for now any more."""
        with self.changed:
            self.forgiven.append(text)

    def is_forgiven(self, recipient):
        with self.changed:
            return any(text in recipient for text in self.forgiven)

    def release(self):
        """Whoever waits at a slow step goes on; later ones wait again."""
        def open_and_shut():
            self.gate.set()
            self.gate = asyncio.Event()
        self.loop.call_soon_threadsafe(open_and_shut)

    def wait(self, kind, since=0, **fields):
        """The first event of this kind at or after position `since`. A field given must be found in the event's field."""
        def find():
            for e in self.events[since:]:
                if e.kind == kind and all(str(v) in str(getattr(e, k)) for k, v in fields.items()):
                    return e
            return None
        with self.changed:
            if not self.changed.wait_for(lambda: find() is not None, timeout=GUARD):
                raise AssertionError(f'no event "{kind}" {fields or ""}; there were {self.events[since:]}')
            return find()

    def for_rcpt(self, text):
        """Stored messages with this text in a recipient."""
        with self.changed:
            return [m for m in self.messages if any(text in r for r in m.rcpt)]


def listen(addresses):
    """Sockets for all addresses on one port that is free on all of them."""
    for _ in range(50):
        sockets, port = [], 0
        try:
            for address in addresses:
                sockets.append(socket.create_server((address, port), backlog=256))
                port = sockets[0].getsockname()[1]
            return sockets, port
        except OSError:
            for s in sockets:
                s.close()
    raise AssertionError('no port is free on all of ' + ', '.join(addresses))
