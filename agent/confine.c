/* SPDX-License-Identifier: ISC */
#include "confine.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"

bool confine_limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(what, &now) != 0)
		return false;
	const struct rlimit wanted = { most, most };
	return most > now.rlim_max || setrlimit(what, &wanted) == 0;
}

bool confine_memory(rlim_t more)
{
	char text[64] = "";
	uint64_t pages = 0;
	struct span rest, first;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	rest = (struct span){ text, n > 0 ? (size_t)n : 0 };
	if (!span_cut(&rest, ' ', &first) || !text_u64(first, UINT32_MAX * UINT64_C(64), &pages))
		return confine_limit(RLIMIT_AS, RLIM_INFINITY);
	return confine_limit(RLIMIT_AS, pages * (rlim_t)sysconf(_SC_PAGESIZE) + more);
}
