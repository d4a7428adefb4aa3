/* SPDX-License-Identifier: ISC */
#include "front/mailbox.h"

#include "base/text.h"
#include "net/idna.h"

bool mailbox_sender(struct arena *a, struct addr *sender, struct error *err)
{
	if (addr_is_null(sender) || !text_is_ascii(span_of(sender->local)))
		return true;
	if (idna_ascii(a, sender->domain, &sender->domain, err))
		return true;
	if (err->class == ERR_PERM)
		err->code = ESC(5, 1, 7);
	return err_wrap(err, "sender");
}

bool mailbox_recipient(struct arena *a, struct addr *rcpt, const char **ret_domain,
		       struct error *err)
{
	if (addr_is_null(rcpt))
		return err_set(err, ERR_PERM, ESC(5, 1, 3), "the recipient is empty");
	if (!idna_ascii(a, rcpt->domain, ret_domain, err))
		return err_wrap(err, "recipient");
	if (text_is_ascii(span_of(rcpt->local)))
		rcpt->domain = *ret_domain;
	return true;
}
