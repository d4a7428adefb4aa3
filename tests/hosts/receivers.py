# SPDX-License-Identifier: ISC
"""The real Postfix and the real Exim as MX hosts that speak TLS."""

import lab

SMTPD = '{address}:{port} inet n - n - - smtpd\n  -o smtpd_tls_security_level={level}\n'
MASTER = 'tlsmgr unix - - n 1000? 1 tlsmgr\n'
MAIN = """
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
# What it accepts can be seen in the lab's inbox.
default_transport = smtp:[127.0.0.6]:{port}
"""


class Postfix(lab.Postfix):
    """One smtpd for each address, with a certificate of its own; without one it does not offer STARTTLS."""

    def __init__(self, world, port, chains):
        self.chains, self.mx_port = chains, port
        super().__init__(world, 'receiver')

    def wire(self):
        self.main = self.main.replace('host.lab.test', 'receiver.lab.test')
        self.main += MAIN.format(port=self.mx_port)
        self.master += MASTER
        for address, chain in self.chains.items():
            self.master += SMTPD.format(address=address, port=self.mx_port, level='may' if chain else 'none')
            if chain:
                self.master += f'  -o smtpd_tls_chain_files={chain}\n'

    def start(self, main=''):
        super().start(main)
        for address in self.chains:
            lab.wait_until(lambda a=address: lab.answers(a, self.mx_port), f'smtpd at {address}')


EXIM_TLS = """local_interfaces = {address}
tls_advertise_hosts = *
tls_certificate = {chain}
tls_privatekey = {chain}
"""
EXIM_CONFIG = lab.EXIM_CONFIG.replace('host.lab.test', 'receiver.lab.test').replace(
    'local_interfaces = 127.0.0.1\n', EXIM_TLS)


class Exim(lab.Exim):
    """Keeps in its queue what it accepts."""

    def __init__(self, world, binary, address, port, chain):
        self.address, self.mx_port, self.chain = address, port, chain
        super().__init__(world, binary, 'exim-receiver')

    def configure(self, program=None, change=None):
        self.port = self.mx_port
        transport, router = self.lab.example('exim-pipe.conf').split('\n\n')
        lab.write(self.config, EXIM_CONFIG.format(dir=self.directory, binary=self.binary, port=self.port, router=router,
                                                  transport=transport, address=self.address, chain=self.chain))
