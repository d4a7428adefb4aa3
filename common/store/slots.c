/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "store/place.h"
#include "store/slots.h"

/* The stretch of a name is 1024 bytes, more than SLOTS_MAX; 2^40 stretches end at 2^50, which an
 * off_t holds. */
#define STRETCH 1024
#define NAMES   ((uint64_t)1 << 40)

bool slots_open(const char *dir, int *ret_fd, struct error *err)
{
	int dir_fd;
	if (!place_open(dir, &dir_fd, err))
		return false;
	bool good = place_file(dir_fd, dir, "slots", ret_fd, err);
	close(dir_fd);
	return good;
}

static off_t place_of(struct span name)
{
	struct digest d;
	digest_init(&d);
	for (size_t i = 0; i < name.n; i++) {
		char c = text_lower(name.p[i]);
		digest_add(&d, (struct span){ &c, 1 });
	}
	return (off_t)(digest_value(&d) % NAMES * STRETCH);
}

/* Locks reach beyond the end of a file, so the file stays empty. */
enum slots_say slots_take(int fd, struct span name, unsigned max, struct error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	lock.l_start = place_of(name);
	for (unsigned i = 0; i < max && i < SLOTS_MAX; i++, lock.l_start++) {
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return SLOTS_TAKEN;
		if (errno != EAGAIN && errno != EACCES) {
			err_set(err, ERR_TEMP, ESC(4, 3, 0), "slots: %s", strerror(errno));
			return SLOTS_FAILED;
		}
	}
	return SLOTS_BUSY;
}
