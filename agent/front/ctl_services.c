/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <unistd.h>

#include "wire/addr.h"
#include "net/idna.h"
#include "net/own.h"
#include "flow/lookup.h"
#include "flow/memory.h"
#include "front/ctl_memory.h"
#include "front/ctl_services.h"

bool ctl_domain(struct arena *a, const char *operand, const char **ret, struct error *err)
{
	struct addr address;
	if (!strchr(operand, '@'))
		return idna_ascii(a, operand, ret, err);
	return addr_parse(a, span_of(operand), &address, err) &&
	       idna_ascii(a, address.domain, ret, err);
}

static void keep_line(void *self, const char *line)
{
	struct ctl_services *s = self;
	struct ctl_note *note = ARENA_NEW(s->arena, struct ctl_note, 1);
	const char *copy = arena_str(s->arena, span_of(line));
	if (!note || !copy)
		return;
	note->line = copy;
	*s->last = note;
	s->last = &note->next;
}

/* Asked before a final dot, and there is none. */
static bool nobody(void *self, enum caller_when when, int64_t ms)
{
	(void)self;
	(void)when;
	(void)ms;
	return false;
}

/* ctl_memory_look() has changed the effective user, to which there shall be no way back. */
static bool stay_owner(struct error *err)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	if (getuid() != 0 || user == 0)
		return true;
	if (seteuid(0) || setresgid(group, group, group) || setresuid(user, user, user))
		return err_set(err, ERR_TEMP, ESC(4, 3, 0),
			       "cannot become the owner of state_directory: %s", strerror(errno));
	return true;
}

static bool open_resolver(struct ctl_services *s, const struct ctl *c, struct error *err)
{
	rng_seed(&s->rng, c->tools->seed);
	return lookup_resolver(&s->config, c->tools->io, &s->rng, &s->resolver, err);
}

static bool configure(struct ctl_services *s, const struct ctl *c, struct error *err)
{
	struct settings *settings;
	if (!ctl_load(s->arena, c, &settings, err) ||
	    !settings_for(s->arena, settings, s->domain, &s->config, err))
		return false;
	s->config.tlsrpt_socket = ""; /* reports are about deliveries */
	s->services.settings = settings;
	return true;
}

static bool find_own_name(struct ctl_services *s, struct error *err)
{
	s->services.own_name = s->config.helo_name;
	return s->config.helo_name[0] || own_name(s->arena, &s->services.own_name, err);
}

/* As a delivery of this user would: it goes on without. */
static bool find_memory(struct ctl_services *s, struct error *err)
{
	struct error why;
	const char *dir = s->config.state_directory;
	if (ctl_memory_look(s->arena, dir, &s->no_memory, &why))
		return true;
	if (why.class == ERR_INTERNAL) {
		*err = why;
		return false;
	}
	s->no_memory = arena_str(s->arena, span_of(why.text));
	return s->no_memory ? true : err_nomem(err);
}

bool ctl_services_open(struct arena *a, const struct ctl *c, const char *domain,
		       struct ctl_services *ret, struct error *err)
{
	struct ctl_services *s = ret;
	*s = (struct ctl_services){ .arena = a, .domain = domain };
	s->last = &s->first;
	if (!configure(s, c, err) || !find_own_name(s, err) || !find_memory(s, err) ||
	    !stay_owner(err) || !open_resolver(s, c, err))
		return false;
	s->secure = (struct secure_module){ .path = c->tools->tls_module };
	s->services = (struct services){
		.io = c->tools->io,
		.resolver = s->resolver,
		.rng = &s->rng,
		.config = &s->config,
		.settings = s->services.settings,
		.own_name = s->services.own_name,
		.sts_program = c->tools->sts_program,
		.spf_program = c->tools->spf_program,
		.secure = &s->secure,
		.caller = { .present = nobody },
		.journal = { .log = keep_line, .self = s },
	};
	if (!s->no_memory)
		s->services.memory = memory_open_to_look(&s->services);
	return true;
}

void ctl_services_close(struct ctl_services *s)
{
	memory_close(s->services.memory);
	resolver_close(s->resolver);
}
