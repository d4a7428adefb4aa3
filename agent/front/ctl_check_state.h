/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: is the directory of the memory such that deliveries can use it
 * (store/place.h)? */
#ifndef FRONT_CTL_CHECK_STATE_H
#define FRONT_CTL_CHECK_STATE_H

#include "front/ctl_findings.h"

/* `user`: as whom the host MTA runs mxdirect; NULL: that is not known. "" as `dir`: there is to be
 * no memory. */
void check_state(struct findings *f, const char *dir, const char *user);

#endif
