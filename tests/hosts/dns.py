# SPDX-License-Identifier: ISC
"""A scripted name server on loopback, UDP and TCP, for tests and the demonstration.

A zone is text, one record a line, '#' starts a comment:

    example.test  MX     10 mx1.example.test
    example.test  MX     20 mx2.example.test
    mx1.example.test  A  127.0.0.2
    other.test    CNAME  example.test
    broken.test   *      SERVFAIL          any response code, or SILENCE, for one type or for all

A name that is not there is NXDOMAIN, a type that is not there is an empty answer."""

import selectors
import socket
import struct
import threading

TYPES = {'A': 1, 'CNAME': 5, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28}
RCODES = {'FORMERR': 1, 'SERVFAIL': 2, 'NXDOMAIN': 3, 'NOTIMP': 4, 'REFUSED': 5}
UDP_SIZE = 1232


def pack_name(name):
    labels = [part for part in name.rstrip('.').split('.') if part]
    return b''.join(bytes([len(l)]) + l.encode('ascii') for l in labels) + b'\0'


def pack_value(kind, words):
    if kind == 'MX':
        return struct.pack('>H', int(words[0])) + pack_name(words[1])
    if kind in ('CNAME', 'PTR'):
        return pack_name(words[0])
    if kind == 'A':
        return socket.inet_pton(socket.AF_INET, words[0])
    if kind == 'AAAA':
        return socket.inet_pton(socket.AF_INET6, words[0])
    text = ' '.join(words).encode()
    return bytes([len(text)]) + text


class Zone:
    def __init__(self, text):
        self.records = {}   # (name, type): [data]
        self.failures = {}  # (name, type or '*'): word
        self.names = set()
        for line in text.splitlines():
            words = line.split('#')[0].split()
            if not words:
                continue
            name, kind, value = words[0].lower().rstrip('.'), words[1], words[2:]
            if value[0] in RCODES or value[0] == 'SILENCE':
                self.failures[name, kind] = value[0]
            else:
                self.records.setdefault((name, kind), []).append(pack_value(kind, value))
            while name:  # the names above exist too, though empty
                self.names.add(name)
                name = name.partition('.')[2]

    def answer(self, name, kind):
        """(response code, records) or None for silence."""
        found = []
        for _ in range(8):
            word = self.failures.get((name, kind)) or self.failures.get((name, '*'))
            if word == 'SILENCE':
                return None
            if word:
                return RCODES[word], []
            alias = self.records.get((name, 'CNAME'))
            if not alias or kind == 'CNAME':
                break
            found.append((name, TYPES['CNAME'], alias[0]))
            name = self.target(alias[0])
        found += [(name, TYPES[kind], data) for data in self.records.get((name, kind), [])]
        return (0 if found or name in self.names else RCODES['NXDOMAIN']), found

    @staticmethod
    def target(packed):
        labels = []
        while packed[0]:
            labels.append(packed[1:1 + packed[0]].decode('ascii'))
            packed = packed[1 + packed[0]:]
        return '.'.join(labels)


def parse_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode('ascii', 'replace').lower())
        at += 1 + query[at]
    kind = struct.unpack('>H', query[at + 1:at + 3])[0]
    return '.'.join(labels), kind, query[12:at + 5]


def bind_both(address):
    """UDP and TCP sockets with one port; what is free for one may be taken for the other."""
    for _ in range(50):
        tcp = socket.create_server((address, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
            return udp, tcp
        except OSError:
            tcp.close()
            udp.close()
    raise AssertionError('no port is free for both UDP and TCP')


class Server:
    """Answers in a thread of its own until close(). `queries` counts the questions for each (name, type)."""

    def __init__(self, zone_text, address='127.0.0.1'):
        self.zone = Zone(zone_text)
        self.queries = {}
        self.udp, self.tcp = bind_both(address)
        self.port = self.udp.getsockname()[1]
        self.wake_read, self.wake_write = socket.socketpair()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.wake_write.close()
        self.thread.join()
        for s in (self.udp, self.tcp, self.wake_read):
            s.close()

    def serve(self):
        with selectors.DefaultSelector() as selector:
            for s in (self.udp, self.tcp, self.wake_read):
                selector.register(s, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.wake_read:
                        return
                    if key.fileobj is self.udp:
                        self.serve_udp()
                    else:
                        threading.Thread(target=self.serve_tcp, args=self.tcp.accept(),
                                         daemon=True).start()

    def serve_udp(self):
        query, peer = self.udp.recvfrom(65535)
        reply = self.reply(query)
        if reply and len(reply) > UDP_SIZE:
            question = parse_question(query)[2]
            flags = struct.unpack('>H', reply[2:4])[0] | 0x0200
            reply = query[:2] + struct.pack('>HHHHH', flags, 1, 0, 0, 0) + question
        if reply:
            self.udp.sendto(reply, peer)

    def serve_tcp(self, connection, _peer):
        with connection, connection.makefile('rb') as stream:
            while len(head := stream.read(2)) == 2:
                reply = self.reply(stream.read(struct.unpack('>H', head)[0]))
                if reply:
                    connection.sendall(struct.pack('>H', len(reply)) + reply)

    def reply(self, query):
        try:
            name, number, question = parse_question(query)
        except (IndexError, struct.error):
            return None
        kind = next((k for k, n in TYPES.items() if n == number), str(number))
        self.queries[name, kind] = self.queries.get((name, kind), 0) + 1
        if kind in TYPES:
            answer = self.zone.answer(name, kind)
        else:
            answer = (0 if name in self.zone.names else RCODES['NXDOMAIN'], [])
        if answer is None:
            return None
        rcode, records = answer
        out = query[:2] + struct.pack('>HHHHH', 0x8180 | rcode, 1, len(records), 0, 0) + question
        for owner, number, data in records:
            out += pack_name(owner) + struct.pack('>HHIH', number, 1, 60, len(data)) + data
        return out
