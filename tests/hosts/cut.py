#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# mxdirect with a helper between the host and it. Where @STATE@/cut exists (it is removed), the helper passes on a part
# of the message, tells the host's process id in @STATE@/parent, waits until that process is dead, and ends: mxdirect then
# sees the end of a message that is not whole, as it does when pipe(8) is killed in mid-message.
import os
import select
import sys

PART = 300000

if os.path.exists('@STATE@/cut'):
    os.remove('@STATE@/cut')
    host = os.getppid()
    ours, theirs = os.pipe()
    if os.fork() == 0:
        if os.fork():  # mxdirect must not have a child that it does not know
            os._exit(0)
        os.close(ours)
        os.close(1)
        os.close(2)
        passed = 0
        while passed < PART:
            passed += os.write(theirs, os.read(0, 4096))
        with open('@STATE@/parent.new', 'w', encoding='ascii') as f:
            f.write(str(host))
        alive = os.pidfd_open(host)
        os.rename('@STATE@/parent.new', '@STATE@/parent')
        select.select([alive], [], [])
        os._exit(0)
    os.wait()
    os.dup2(ours, 0)
    os.close(ours)
    os.close(theirs)
os.execv('@PROGRAM@', ['@PROGRAM@'] + sys.argv[1:])
