# SPDX-License-Identifier: ISC
"""Stories of mxdirectctl check: the recommended configurations, as the real Postfix and the real Exim tell them, and others."""

import json
import os
import subprocess

import lab
from stories import equal, story


def findings(w, option, place):
    """{(about, check): levels} of what check has to say on the wiring of a host."""
    environment = {'PATH': os.path.dirname(w.exim_binary) + ':/usr/sbin:/usr/bin:/bin'}
    done = subprocess.run([w.ctl, 'check', '--json', '-c', w.lab.config, option, place], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, timeout=lab.GUARD, env=environment)
    equal((done.returncode in (0, 1), done.stderr), (True, b''), 'status and standard error')
    found = {}
    for one in json.loads(done.stdout)['findings']:
        if one['about'].startswith(('Exim', 'Postfix')):
            found.setdefault((one['about'], one['check']), []).append(one['level'])
    return found


def all_is_well(found, about, checks):
    equal({check: set(levels) for (what, check), levels in found.items() if what == about},
          {check: {'ok'} for check in checks.split()}, about)


@story('check exim, as recommended')
def _(w):
    found = findings(w, '--exim', w.exim.config)
    all_is_well(found, 'Exim transport mxdirect_pipe',
                'wiring user recipients time-limit arguments queue-id message defers output')
    found = findings(w, '--exim', w.exim_lmtp.config)
    all_is_well(found, 'Exim transport mxdirect_lmtp', 'wiring user recipients time-limit queue-id message')


@story('check exim, with its defaults')
def _(w):
    def defaults(text):
        transport, router = text.split('\n\n')
        kept = [line for line in transport.split('\n')
                if line.split(' = ')[0].strip() in ('mxdirect_pipe:', 'driver', 'command')]
        return '\n'.join(kept) + '\n  return_path_add\n  return_output\n\n' + router
    try:
        w.exim.configure(change=defaults)
        found = findings(w, '--exim', w.exim.config)
    finally:
        w.exim.configure()
    wrong = {check for (_, check), levels in found.items() if 'failure' in levels}
    equal(wrong, {'user', 'message', 'defers', 'output'}, 'failures')


@story('check postfix, as recommended')
def _(w):
    found = findings(w, '--postfix', w.postfix.directory)
    all_is_well(found, 'Postfix transport mxpipe',
                'wiring user recipients time-limit flags null-sender safety-filter')
    found = findings(w, '--postfix', w.postfix_lmtp.directory)
    all_is_well(found, 'Postfix service mxagent', 'wiring user time-limit')
    all_is_well(found, 'Postfix transport mxlmtp', 'time-limit xforward lines')
