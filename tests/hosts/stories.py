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
