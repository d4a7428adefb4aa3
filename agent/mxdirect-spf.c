/* SPDX-License-Identifier: ISC */
/*
 * Lets libspf2 evaluate terms of SPF records, which anybody can publish, for whoever started it;
 * spfpacket.h says how it is asked and answers. A program of its own, because libspf2 1.2.10 writes
 * past its buffers for some records (CVE-2023-42118): should one take it over, it can read and
 * write its one socket, and end.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "confine.h"
#include "spflib.h"
#include "spfpacket.h"

#define CPU_SECONDS 2                   /* an evaluation takes a thousandth of it */
#define MEMORY      (16u * 1024 * 1024) /* over what the program has at its start */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#else
#error "The filter for system calls has to know this architecture: add its AUDIT_ARCH_ name."
#endif

/* What is wrong; NULL: nothing. */
typedef const char *fault;

/* No file from here on. A kernel without Landlock leaves that to the filter, which knows no open().
 */
static void renounce_files(void)
{
	const struct landlock_ruleset_attr none = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &none, sizeof(none), 0);
	if (fd < 0)
		return;
	syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
}

/* The allocator's calls, and those to talk and to end. Any other one kills. */
static bool filter_calls(void)
{
#define LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define ALLOW(call)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), RETURN(SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_brk),
#ifdef SYS_mmap2
		ALLOW(SYS_mmap2),
#else
		ALLOW(SYS_mmap),
#endif
		ALLOW(SYS_mremap),
		ALLOW(SYS_munmap),
		ALLOW(SYS_madvise),
		ALLOW(SYS_getrandom),
		ALLOW(SYS_clock_gettime),
		ALLOW(SYS_exit),
		ALLOW(SYS_exit_group),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Before the first packet is read. */
static fault confine(void)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return "/dev/null";
	close_range(STDERR_FILENO + 1, ~0u, 0);
	alarm(SPF_SECONDS + 2); /* should its parent forget it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "prctl";
	/* It has its three descriptors and gets no other one. */
	if (!confine_limit(RLIMIT_CORE, 0) || !confine_limit(RLIMIT_FSIZE, 0) ||
	    !confine_limit(RLIMIT_NPROC, 0) || !confine_limit(RLIMIT_CPU, CPU_SECONDS) ||
	    !confine_memory(MEMORY))
		return "setrlimit";
	renounce_files();
	if (!confine_limit(RLIMIT_NOFILE, 0))
		return "setrlimit";
	return filter_calls() ? NULL : "seccomp";
}

/* No packet any more: who asked has gone, or had enough. */
static size_t receive(char *packet, size_t size)
{
	ssize_t n = read(STDIN_FILENO, packet, size);
	if (n <= 0)
		_exit(0);
	return (size_t)n;
}

static void send_packet(const char *packet, size_t n)
{
	if (write(STDIN_FILENO, packet, n) != (ssize_t)n)
		_exit(0);
}

static size_t ask(void *ctx, struct span question, char *answer, size_t size)
{
	(void)ctx;
	send_packet(question.p, question.n);
	return receive(answer, size);
}

int main(void)
{
	static char packet[SPF_PACKET], reply[SPF_PACKET];
	struct spflib *l = spflib_open(ask, NULL);
	fault bad = l ? confine() : "out of memory";
	if (bad) {
		int n = snprintf(reply, sizeof(reply), "%ccannot confine itself: %s", SPF_BAD, bad);
		send_packet(reply, (size_t)n + 1);
		return 1;
	}
	for (;;) {
		size_t n = receive(packet, sizeof(packet));
		n = spflib_answer(l, (struct span){ packet, n }, reply, sizeof(reply));
		send_packet(reply, n);
	}
}
