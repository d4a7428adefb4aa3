/* SPDX-License-Identifier: ISC */
#include <dlfcn.h>

#include "net/secure.h"

bool secure_load(struct secure_module *m, struct error *err)
{
	if (m->ops)
		return true;
	void *library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "TLS module: %s", dlerror());
	const struct secure_ops *ops = dlsym(library, SECURE_SYMBOL);
	if (!ops || ops->version != SECURE_VERSION) {
		dlclose(library);
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0),
			       "TLS module: %s is not of this version", m->path);
	}
	m->ops = ops;
	return true;
}
