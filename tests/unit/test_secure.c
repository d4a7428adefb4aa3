/* SPDX-License-Identifier: ISC */
/* The module as built, over a stream, against a real server. MX_TLS_MODULE: where it is, if not in
 * the current directory. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "harness.h"
#include "net/secure.h"
#include "net/stream.h"
#include "pki.h"

#define MX   "mx.example.net"
#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct secure_module module;
static struct pki_cert root, leaf, stranger;
static struct pki_file roots;
static struct pki_tlsa of_leaf;
static struct io io;
static struct error err;
static struct secure_facts facts;

static const struct deadline far_off = { { INT64_MAX } }, passed = { { 0 } };
static const char *const mx_name[] = { MX };

static const char *module_path(void)
{
	const char *path = getenv("MX_TLS_MODULE");
	return path ? path : "./mxdirect-tls.so";
}

static struct secure_ask ask_for(enum secure_proof proof)
{
	return (struct secure_ask){ .proof = proof,
				    .sni = MX,
				    .names = mx_name,
				    .nnames = 1,
				    .tlsa = &of_leaf.t,
				    .ntlsa = 1,
				    .ca_file = roots.path };
}

static struct stream *open_on(int fd)
{
	struct stream *s = NULL;
	io = (struct io){ .clock = clock_system(), .stop_fd = -1 };
	err = (struct error){ 0 };
	if (!stream_open(fd, &io, &s, &err))
		abort();
	return s;
}

static struct stream *meet(struct pki_server *server, enum secure_proof proof, bool *ret_ok)
{
	struct secure_ask ask = ask_for(proof);
	struct stream *s = open_on(pki_server_start(server));
	*ret_ok = stream_secure(s, module.ops, &ask, far_off, &facts, &err);
	return s;
}

static bool failed(enum err_class class, int subject, int detail, const char *text)
{
	CHECK_STR("error", err.text, text);
	return err.class == class && err.code.subject == subject && err.code.detail == detail;
}

static void load(void)
{
	module = (struct secure_module){ .path = module_path() };
	CHECK("load", secure_load(&module, &err));
	if (!module.ops)
		abort();
	CHECK("version", module.ops->version == SECURE_VERSION);
	const struct secure_ops *ops = module.ops;
	module.path = "/nonexistent/module.so";
	CHECK("once", secure_load(&module, &err) && module.ops == ops);
	CHECK("no error", err.class == ERR_NONE);
}

/* Where in the file the number of the version stands. */
static long version_offset(const char *path)
{
	Dl_info info;
	struct link_map *map;
	if (!dladdr1(module.ops, &info, (void **)&map, RTLD_DL_LINKMAP))
		abort();
	uint64_t at = (uint64_t)((uintptr_t)&module.ops->version - map->l_addr);
	Elf64_Ehdr head;
	Elf64_Phdr part;
	FILE *f = fopen(path, "r");
	long found = -1;
	if (!f || fread(&head, sizeof(head), 1, f) != 1 || fseek(f, (long)head.e_phoff, SEEK_SET))
		abort();
	for (int i = 0; i < head.e_phnum && fread(&part, sizeof(part), 1, f) == 1; i++)
		if (part.p_type == PT_LOAD && at >= part.p_vaddr &&
		    at < part.p_vaddr + part.p_filesz)
			found = (long)(at - part.p_vaddr + part.p_offset);
	fclose(f);
	return found;
}

/* A copy of the module that says it is of another version. */
static struct pki_file other_version(void)
{
	struct pki_file copy = pki_file_open();
	unsigned version = SECURE_VERSION + 1;
	char block[65536];
	size_t n;
	FILE *f = fopen(module_path(), "r");
	if (!f)
		abort();
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		pki_file_add(&copy, (struct span){ block, n });
	fclose(f);
	if (pwrite(copy.fd, &version, sizeof(version), version_offset(module_path())) !=
	    (ssize_t)sizeof(version))
		abort();
	return copy;
}

static void load_fails(void)
{
	struct pki_file other = other_version();
	const struct {
		const char *label, *path, *text;
	} cases[] = {
		{ "missing", "/nonexistent/module.so",
		  "TLS module: /nonexistent/module.so: cannot open shared object file: No such "
		  "file "
		  "or directory" },
		{ "no module", "libm.so.6", "TLS module: libm.so.6 is not of this version" },
		{ "no library", "/etc/passwd", "TLS module: /etc/passwd: file too short" },
		{ "other version", other.path, NULL },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct secure_module m = { .path = cases[i].path };
		char text[128];
		snprintf(text, sizeof(text), "TLS module: %s is not of this version", other.path);
		CHECK(cases[i].label, !secure_load(&m, &err) && !m.ops);
		CHECK(cases[i].label, err.class == ERR_INTERNAL && err.code.subject == 3);
		if (i != 2)
			CHECK_STR(cases[i].label, err.text, cases[i].text ? cases[i].text : text);
	}
	close(other.fd);
}

static void talk(void)
{
	static const enum secure_proof proofs[] = { SECURE_ANY, SECURE_PKIX, SECURE_DANE };
	static const char *const proven[] = { "", ("PKIX " MX), "3 1 1" };
	for (size_t i = 0; i < N(proofs); i++) {
		bool ok;
		struct span got;
		struct pki_server server = { .chain = { &leaf }, .greeting = "220 hello\r\n" };
		struct stream *s = meet(&server, proofs[i], &ok);
		CHECK("secure", ok && facts.trouble == SECURE_FINE);
		CHECK_STR("protocol", facts.protocol, "TLSv1.3");
		CHECK_STR("cipher", facts.cipher, "TLS_AES_256_GCM_SHA384");
		CHECK_STR("proof", facts.proof, proven[i]);
		CHECK("hello", stream_peek(s, far_off, &got, &err));
		CHECK("hello", span_equal(got, SPAN("220 hello\r\n")));
		stream_eat(s, 5);
		CHECK("pending", stream_pending(s));
		stream_eat(s, 6);
		CHECK("idle", !stream_pending(s));
		CHECK("nothing", !stream_peek(s, passed, &got, &err));
		CHECK("nothing", failed(ERR_TEMP, 4, 2, "timed out"));
		CHECK("write", stream_write(s, SPAN("MAIL\r\n"), passed, &err));
		CHECK("echo", stream_peek(s, far_off, &got, &err));
		CHECK("echo", span_equal(got, SPAN("MAIL\r\n")));
		stream_eat(s, 6);
		CHECK("write", stream_write(s, SPAN("QUIT\r\n"), passed, &err));
		stream_flush_now(s);
		stream_close(s);
		pki_server_join(&server);
		CHECK("the server saw all of it", server.got == 12 && server.end == 0);
		CHECK_STR("SNI", server.sni, MX);
	}
}

static void body(void)
{
	static const size_t pieces[] = { 1, 4095, 4096, 70000, 16384, 16385, 300000 };
	static char bytes[300000];
	bool ok;
	size_t sent = 0;
	struct pki_server server = { .chain = { &leaf }, .sink = true };
	struct stream *s = meet(&server, SECURE_DANE, &ok);
	CHECK("secure", ok);
	for (size_t i = 0; i < 4 * N(pieces); i++) {
		size_t n = pieces[i % N(pieces)];
		CHECK("write", stream_write(s, (struct span){ bytes, n }, far_off, &err));
		sent += n;
	}
	CHECK("flush", stream_flush(s, far_off, &err));
	stream_close(s);
	pki_server_join(&server);
	CHECK("all", server.got == sent && server.end == 0);
}

static void end_of_connection(void)
{
	for (int rude = 0; rude < 2; rude++) {
		bool ok;
		struct span got;
		struct pki_server server = { .chain = { &leaf },
					     .rude = rude,
					     .greeting = "421 bye\r\n" };
		struct stream *s = meet(&server, SECURE_ANY, &ok);
		CHECK("secure", ok);
		CHECK("write", stream_write(s, SPAN("over"), far_off, &err));
		CHECK("last words", stream_peek(s, far_off, &got, &err));
		CHECK("last words", span_equal(got, SPAN("421 bye\r\n")));
		pki_server_join(&server);
		stream_eat(s, got.n);
		CHECK("pending: the end", stream_pending(s));
		CHECK("the end", !stream_peek(s, far_off, &got, &err));
		CHECK("the end", failed(ERR_TEMP, 4, 2, "lost connection"));
		CHECK("write", !stream_write(s, SPAN("x"), far_off, &err));
		CHECK("write", failed(ERR_TEMP, 4, 2, "lost connection"));
		stream_close(s);
	}
}

static void not_proven(void)
{
	const struct {
		enum secure_proof proof;
		enum secure_trouble trouble;
		const char *text;
	} cases[] = {
		{ SECURE_PKIX, SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: it is self-signed" },
		{ SECURE_DANE, SECURE_NO_TLSA, "no TLSA record matches the certificate" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		bool ok;
		struct span got;
		struct pki_server server = { .chain = { &stranger }, .greeting = "220 hello\r\n" };
		struct stream *s = meet(&server, cases[i].proof, &ok);
		CHECK(cases[i].text, !ok && facts.trouble == cases[i].trouble);
		CHECK(cases[i].text, failed(ERR_TEMP, 7, 5, cases[i].text));
		CHECK(cases[i].text, !stream_write(s, SPAN("MAIL\r\n"), far_off, &err));
		CHECK(cases[i].text, !stream_peek(s, far_off, &got, &err));
		stream_flush_now(s);
		stream_close(s);
		pki_server_join(&server);
		CHECK(cases[i].text, server.got == 0);
	}
}

/* A peer that hears the beginning of our handshake, says its part and reads no more. */
struct peer {
	int fd;
	struct span said;
	bool leaves;
	pthread_t thread;
};

static void *play(void *ctx)
{
	struct peer *p = ctx;
	char hello;
	if (recv(p->fd, &hello, 1, MSG_PEEK) != 1 || send(p->fd, p->said.p, p->said.n, 0) < 0 ||
	    (p->leaves && shutdown(p->fd, SHUT_WR) != 0))
		abort();
	return NULL;
}

static void no_handshake(void)
{
	const struct {
		const char *label;
		struct span said;
		bool leaves;
		int64_t ms;
		int subject, detail;
		const char *text;
	} cases[] = {
		{ "stall", { NULL, 0 }, false, 50, 4, 2, "timed out" },
		{ "stall in a record", SPAN("\x16\x03\x03\x02"), false, 50, 4, 2, "timed out" },
		{ "half-closed", { NULL, 0 }, true, 60000, 4, 2, "lost connection" },
		{ "half-closed in a record", SPAN("\x16\x03\x03\x00\x50\x02"), true, 60000, 4, 2,
		  "lost connection" },
		{ "not TLS", SPAN("554 no\r\n"), false, 60000, 7, 5,
		  "the handshake failed: what the server sent is not TLS" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct secure_ask ask = ask_for(SECURE_ANY);
		struct peer peer = { .said = cases[i].said, .leaves = cases[i].leaves };
		int fd[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
			abort();
		struct stream *s = open_on(fd[0]);
		peer.fd = fd[1];
		if (pthread_create(&peer.thread, NULL, play, &peer) != 0)
			abort();
		struct deadline until = deadline_in(io_now(&io), cases[i].ms);
		CHECK(cases[i].label, !stream_secure(s, module.ops, &ask, until, &facts, &err));
		CHECK(cases[i].label, facts.trouble == SECURE_HANDSHAKE);
		CHECK(cases[i].label,
		      failed(ERR_TEMP, cases[i].subject, cases[i].detail, cases[i].text));
		CHECK(cases[i].label, !stream_write(s, SPAN("x"), far_off, &err));
		pthread_join(peer.thread, NULL);
		stream_close(s);
		close(fd[1]);
	}
}

static void plain_before_handshake(void)
{
	int fd[2];
	struct span got;
	struct secure_ask ask = ask_for(SECURE_ANY);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	struct stream *s = open_on(fd[0]);
	if (send(fd[1], "220 go\r\n250 x\r\n", 15, 0) != 15)
		abort();
	CHECK("peek", stream_peek(s, far_off, &got, &err) && got.n == 15);
	stream_eat(s, 8);
	CHECK("injected", !stream_secure(s, module.ops, &ask, far_off, &facts, &err));
	CHECK("injected", failed(ERR_TEMP, 5, 0,
				 "the server sent something in plain before the TLS handshake"));
	CHECK("injected", facts.trouble == SECURE_HANDSHAKE);
	stream_close(s);
	CHECK("nothing was sent", recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT) <= 0);
	close(fd[1]);
}

static void bad_priority(void)
{
	int fd[2];
	struct secure_ask ask = ask_for(SECURE_ANY);
	ask.priority = "NONSENSE";
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	struct stream *s = open_on(fd[0]);
	CHECK("priority", !stream_secure(s, module.ops, &ask, far_off, &facts, &err));
	CHECK("priority", facts.trouble == SECURE_LOCAL);
	CHECK("priority", failed(ERR_CONFIG, 3, 5, "TLS priority \"NONSENSE\": NONSENSE"));
	stream_close(s);
	close(fd[1]);
}

static void make(void)
{
	root = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	leaf = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &root });
	stranger = pki_make((struct pki_want){ "self", { MX }, .flags = 0 });
	pki_tlsa(&of_leaf, "3 1 1", &leaf);
	roots = pki_file_open();
	pki_file_add_cert(&roots, &root);
	CHECK("made", leaf.der.size > 0);
}

static void unmake(void)
{
	pki_free(&root);
	pki_free(&leaf);
	pki_free(&stranger);
	close(roots.fd);
}

TEST_MAIN("secure", { "make", make }, { "load", load }, { "load_fails", load_fails },
	  { "talk", talk }, { "body", body }, { "end_of_connection", end_of_connection },
	  { "not_proven", not_proven }, { "no_handshake", no_handshake },
	  { "plain_before_handshake", plain_before_handshake }, { "bad_priority", bad_priority },
	  { "unmake", unmake })
