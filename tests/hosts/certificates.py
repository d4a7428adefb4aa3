# SPDX-License-Identifier: ISC
"""Keys and certificates made with openssl(1), and the TLSA records that fit them."""

import hashlib
import os
import time

import lab

CA_CONFIG = """[ca]
default_ca = it
[it]
database = {dir}/index
serial = {dir}/serial
new_certs_dir = {dir}
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""
CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'


class Certificates:
    """NAME.pem has the certificate, NAME.chain what a server needs: key, certificate and the issuers that were asked for."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        lab.write(self.path('index'), '')
        lab.write(self.path('serial'), '01\n')
        lab.write(self.path('ca.conf'), CA_CONFIG.format(dir=directory))

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name, extensions, issuer=None, days=(-1, 30), send=()):
        """issuer: the name of another one; none: signed by itself. send: the names of those that the server sends with it."""
        key, request, pem = (self.path(f'{name}.{end}') for end in ('key', 'csr', 'pem'))
        lab.run('openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
                '-subj', f'/CN={name}', '-out', request)
        dates = [time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + 86400 * day)) for day in days]
        signer = (['-cert', self.path(issuer + '.pem'), '-keyfile', self.path(issuer + '.key')] if issuer else
                  ['-selfsign', '-keyfile', key])
        lab.run('openssl', 'ca', '-batch', '-notext', '-config', self.path('ca.conf'), '-in', request, '-out', pem,
                '-extfile', lab.write(self.path(name + '.ext'), extensions + '\n'), '-startdate', dates[0],
                '-enddate', dates[1], *signer)
        # Everybody may read it: Exim's user has to.
        return lab.write(self.path(name + '.chain'), ''.join(lab.read(path) for path in (
            key, pem, *(self.path(other + '.pem') for other in send))))

    def for_host(self, name, host, issuer=None, **more):
        return self.make(name, f'subjectAltName=DNS:{host}', issuer, **more)

    def tlsa(self, usage, selector, name, matching=1):
        """The record with the digest, SHA2-256 (matching 1) or SHA2-512 (2), of the certificate (selector 0) or its key (1)."""
        what = ['x509', '-in', self.path(name + '.pem'), '-outform', 'DER']
        if selector == 1:
            public = self.path(name + '.pub')
            lab.run('openssl', 'x509', '-in', self.path(name + '.pem'), '-noout', '-pubkey', '-out', public)
            what = ['pkey', '-pubin', '-in', public, '-outform', 'DER']
        der = self.path(name + '.der')
        lab.run('openssl', *what, '-out', der)
        with open(der, 'rb') as f:
            digest = hashlib.new({1: 'sha256', 2: 'sha512'}[matching], f.read()).hexdigest()
        return f'TLSA {usage} {selector} {matching} {digest}'
