/* SPDX-License-Identifier: ISC */
/* What the programs that meet hostile bytes with somebody else's library (mxdirect-sts, mxdirect-spf) give up before they do. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <sys/resource.h>

/* At most so much of a resource from here on; a limit that is lower already stays. False: errno. */
bool confine_limit(__rlimit_resource_t what, rlim_t most);

/* At most so many bytes of address space more than there are by now: libraries, or the shadow of a sanitizer. False: errno. */
bool confine_memory(rlim_t more);

#endif
