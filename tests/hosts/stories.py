# SPDX-License-Identifier: ISC
"""Stories: functions with a name that get a world to play in, told one after the other."""

import os
import re
import time
import traceback

STORIES = []
HEADER = b'From: <s@lab.test>\nTo: <r@mx.test>\nDate: Mon, 24 Nov 2025 06:00:00 +0000\nMessage-ID: <1@lab.test>\n'
PLAIN = HEADER + b'Subject: plain\n\nHello.\n'
SENDER = 's@lab.test'

# Bodies that something on the way might damage. Canonical form in, canonical form out.
BODIES = [
    ('dots', HEADER + b'\n.\n..\n.a\na.\n...\nend\n'),
    ('8-bit', HEADER + b'Subject: 8-bit\n\n\xc3\xbc \xfc\xff\x80 \x01\x1b\x7f\tend\n'),
    ('NUL', HEADER + b'\na\0b\n\0\n'),
    ('long lines', HEADER + b'X-Long: ' + b'x' * 5000 + b'\n\n' + b'y' * 998 + b'\n' + b'z' * 3000 + b'\n.'
     + b'.' * 100000 + b'\n'),
    ('empty lines', HEADER + b'\n\n\n\ntext\n\n\n'),
    ('From line', HEADER + b'\nFrom me\n>From you\n'),
    ('no header', b'\nonly a body\n'),
    ('large', HEADER + b'\n' + b''.join(b'.%07d abcdefghijklmnopqrstuvwxyz\n' % n for n in range(80000))),
]


def story(words):
    def add(function):
        STORIES.append((words, function))
        return function
    return add


def equal(got, expected, what):
    if got != expected:
        raise AssertionError(f'{what}: got {shorten(got)}, expected {shorten(expected)}')


def match(pattern, text, what):
    if not re.search(pattern, text):
        raise AssertionError(f'{what}: no "{pattern}" in {text}')


def without_received(data):
    """The message without the one header that the host put in front."""
    return re.sub(rb'\AReceived:.*\r\n(?:[ \t].*\r\n)*', b'', data)


def only(w, recipient):
    """The one message that MX hosts stored for this recipient."""
    found = w.mx.for_rcpt(recipient)
    equal(len(found), 1, f'messages stored for {recipient}')
    return found[0]


def shorten(value):
    text = repr(value)
    return text if len(text) < 600 else text[:300] + ' ... ' + text[-300:]


def tell(world, name, function):
    """Whether the story went well."""
    start = time.monotonic()
    try:
        function(world)
    except Exception as error:  # whatever it is: the story failed, the next one is told
        where = traceback.extract_tb(error.__traceback__)[1]
        print(f'FAIL  {name}: {error} [{os.path.basename(where.filename)}:{where.lineno}]', flush=True)
        return False
    print(f'ok    {name} ({time.monotonic() - start:.1f} s)', flush=True)
    return True


def tell_all(world, words):
    """Those with one of the words in their name, or all; whether all went well."""
    told = [tell(world, name, function) for name, function in STORIES
            if not words or any(word in name for word in words)]
    print(f'{sum(told)} passed, {len(told) - sum(told)} failed')
    return all(told)
