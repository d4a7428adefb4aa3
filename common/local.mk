# Floors 0 to 2. A library for each folder, so that a call to a floor above does not link.
noinst_LIBRARIES += libbase.a libwire.a libnet.a libconf.a libstore.a libtls.a

libbase_a_SOURCES = \
	%D%/base/arena.c %D%/base/arena.h %D%/base/banned.h \
	%D%/base/buf.c %D%/base/buf.h %D%/base/clock.c %D%/base/clock.h \
	%D%/base/digest.c %D%/base/digest.h \
	%D%/base/err.c %D%/base/err.h %D%/base/ip.c %D%/base/ip.h \
	%D%/base/limits.h %D%/base/rng.c %D%/base/rng.h %D%/base/secure.h \
	%D%/base/span.c %D%/base/span.h %D%/base/stagger.c %D%/base/stagger.h \
	%D%/base/text.c %D%/base/text.h

libwire_a_SOURCES = \
	%D%/wire/addr.c %D%/wire/addr.h %D%/wire/base64.c %D%/wire/base64.h %D%/wire/canon.c %D%/wire/canon.h \
	%D%/wire/command.c %D%/wire/command.h %D%/wire/dnsmsg.c %D%/wire/dnsmsg.h \
	%D%/wire/dot.c %D%/wire/dot.h %D%/wire/ehlo.c %D%/wire/ehlo.h \
	%D%/wire/headers.c %D%/wire/headers.h %D%/wire/lmtp.c %D%/wire/lmtp.h \
	%D%/wire/records.c %D%/wire/records.h \
	%D%/wire/records_codec.c %D%/wire/records_codec.h %D%/wire/reply.c %D%/wire/reply.h \
	%D%/wire/spfrecord.c %D%/wire/spfrecord.h \
	%D%/wire/sts.c %D%/wire/sts.h %D%/wire/tlsa.c %D%/wire/tlsa.h \
	%D%/wire/xtext.c %D%/wire/xtext.h

libnet_a_SOURCES = \
	%D%/net/dial.c %D%/net/dial.h %D%/net/idna.c %D%/net/idna.h \
	%D%/net/io.c %D%/net/io.h %D%/net/own.c %D%/net/own.h \
	%D%/net/resolver.c %D%/net/resolver.h %D%/net/secure.c %D%/net/secure.h \
	%D%/net/stream.c %D%/net/stream.h
libnet_a_CFLAGS = $(AM_CFLAGS) $(CARES_CFLAGS) $(IDN2_CFLAGS)

libconf_a_SOURCES = %D%/conf/conf.c %D%/conf/conf.h
libconf_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS)

libstore_a_SOURCES = \
	%D%/store/fault.c %D%/store/fault.h %D%/store/inspect.c %D%/store/inspect.h \
	%D%/store/place.c %D%/store/place.h %D%/store/slots.c %D%/store/slots.h \
	%D%/store/table.c %D%/store/table.h \
	%D%/store/store.c %D%/store/store.h
libstore_a_CFLAGS = $(AM_CFLAGS) $(LMDB_CFLAGS)

# The secure layer is a module: a run that meets no STARTTLS does not load GnuTLS. The library is for its unit tests.
TLS_SOURCES = \
	%D%/tls/crypto.c %D%/tls/crypto.h \
	%D%/tls/proof.c %D%/tls/proof.h %D%/tls/session.c %D%/tls/session.h \
	%D%/tls/trust.c %D%/tls/trust.h
libtls_a_SOURCES = $(TLS_SOURCES)
libtls_a_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS)

pkglibexec_PROGRAMS += mxdirect-tls.so
mxdirect_tls_so_SOURCES = $(TLS_SOURCES)
mxdirect_tls_so_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS)
mxdirect_tls_so_LDFLAGS = -shared -Wl,-z,relro,-z,now -Wl,--exclude-libs,ALL $(MX_MODULE_LDFLAGS)
mxdirect_tls_so_LDADD = libwire.a libbase.a $(GNUTLS_LIBS)
