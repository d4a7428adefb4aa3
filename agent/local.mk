# Floors 3 to 6.
noinst_LIBRARIES += libcore.a libflow.a libfront.a libctl.a

libcore_a_SOURCES = \
	%D%/core/config.c %D%/core/config.h %D%/core/config_value.c %D%/core/config_value.h \
	%D%/core/demand.c %D%/core/demand.h \
	%D%/core/dialog.c %D%/core/dialog.h %D%/core/dialog_hello.c %D%/core/dialog_login.c \
	%D%/core/dialog_mail.c %D%/core/dialog_state.h \
	%D%/core/envelope.c %D%/core/envelope.h %D%/core/failover.c %D%/core/failover.h \
	%D%/core/health.c %D%/core/health.h \
	%D%/core/logline.c %D%/core/logline.h %D%/core/mxlist.c %D%/core/mxlist.h \
	%D%/core/outcome.c %D%/core/outcome.h %D%/core/plan.c %D%/core/plan.h \
	%D%/core/report.c %D%/core/report.h \
	%D%/core/nexthop.c %D%/core/nexthop.h %D%/core/route.c %D%/core/route.h %D%/core/sasl.c %D%/core/sasl.h \
	%D%/core/stscache.c %D%/core/stscache.h \
	%D%/core/tlsrpt.c %D%/core/tlsrpt.h

libflow_a_SOURCES = \
	%D%/flow/attempt.c %D%/flow/attempt.h %D%/flow/caller.h \
	%D%/flow/delivery.c %D%/flow/delivery.h %D%/flow/delivery_notes.c %D%/flow/delivery_state.h \
	%D%/flow/fitness.c %D%/flow/fitness.h %D%/flow/intake.c %D%/flow/intake.h \
	%D%/flow/lookup.c %D%/flow/lookup.h %D%/flow/memory.c %D%/flow/memory.h \
	%D%/flow/memory_health.c %D%/flow/memory_spf.c %D%/flow/memory_state.h \
	%D%/flow/notes.c %D%/flow/notes.h %D%/flow/password.c %D%/flow/password.h \
	 %D%/flow/preview.c %D%/flow/preview.h %D%/flow/services.h \
	%D%/flow/senderspf.c %D%/flow/senderspf.h %D%/flow/sessions.c %D%/flow/sessions.h \
	%D%/flow/settings.c %D%/flow/settings.h \
	%D%/flow/spawn.c %D%/flow/spawn.h %D%/flow/spf.c %D%/flow/spf.h \
	%D%/flow/spf_program.c %D%/flow/spf_program.h \
	%D%/flow/stspolicy.c %D%/flow/stspolicy.h \
	%D%/flow/tlspolicy.c %D%/flow/tlspolicy.h \
	%D%/flow/tlsreport.c %D%/flow/tlsreport.h %D%/flow/ways.c %D%/flow/ways.h

libfront_a_SOURCES = \
	%D%/front/client.c %D%/front/client.h %D%/front/groups.c %D%/front/groups.h \
	%D%/front/host.c %D%/front/host.h %D%/front/lmtpd.c %D%/front/lmtpd.h \
	%D%/front/logger.c %D%/front/logger.h %D%/front/mailbox.c %D%/front/mailbox.h \
	%D%/front/options.c %D%/front/options.h %D%/front/pipe.c %D%/front/pipe.h

# The operator's tool, apart from the fronts of a delivery: those are not linked with its JSON library.
libctl_a_SOURCES = \
	%D%/front/ctl.c %D%/front/ctl.h \
	%D%/front/ctl_check.c %D%/front/ctl_check.h \
	%D%/front/ctl_check_exim.c %D%/front/ctl_check_exim.h \
	%D%/front/ctl_check_names.c %D%/front/ctl_check_names.h \
	%D%/front/ctl_check_net.c %D%/front/ctl_check_net.h \
	%D%/front/ctl_check_output.c %D%/front/ctl_check_output.h \
	%D%/front/ctl_check_postfix.c %D%/front/ctl_check_postfix.h \
	%D%/front/ctl_check_sender.c %D%/front/ctl_check_sender.h \
	%D%/front/ctl_check_state.c %D%/front/ctl_check_state.h \
	%D%/front/ctl_details.c %D%/front/ctl_details.h \
	%D%/front/ctl_findings.c %D%/front/ctl_findings.h \
	%D%/front/ctl_forget.c %D%/front/ctl_forget.h \
	%D%/front/ctl_items.c %D%/front/ctl_items.h \
	%D%/front/ctl_json.c %D%/front/ctl_json.h \
	%D%/front/ctl_memory.c %D%/front/ctl_memory.h \
	%D%/front/ctl_page.c %D%/front/ctl_page.h \
	%D%/front/ctl_plan.c %D%/front/ctl_plan.h \
	%D%/front/ctl_plan_json.c %D%/front/ctl_plan_page.c \
	%D%/front/ctl_services.c %D%/front/ctl_services.h \
	%D%/front/ctl_settings.c %D%/front/ctl_settings.h \
	%D%/front/ctl_status.c %D%/front/ctl_status.h \
	%D%/front/ctl_table.c %D%/front/ctl_table.h
libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

AGENT_LIBS = libfront.a libflow.a libcore.a libnet.a libconf.a libstore.a libwire.a libbase.a
# libresolv only for the readers of DNS messages, a few kilobytes: not worth a library to load in every run.
AGENT_SYSTEM_LIBS = $(CARES_LIBS) $(CONFUSE_LIBS) $(LMDB_LIBS) -l:libresolv.a

# The guard stands alone: static where it can be, and no library of ours or anybody's but libc.
sbin_PROGRAMS += mxdirect
mxdirect_SOURCES = %D%/mxdirect.c %D%/guard.h
mxdirect_CPPFLAGS = $(AM_CPPFLAGS) -DAGENT_PATH='"$(pkglibexecdir)/mxdirect-agent"'
if SANITIZE
mxdirect_LDFLAGS = $(AM_LDFLAGS)
else
mxdirect_LDFLAGS = -static-pie
endif

pkglibexec_PROGRAMS += mxdirect-agent
mxdirect_agent_SOURCES = %D%/mxdirect-agent.c
mxdirect_agent_CPPFLAGS = $(AM_CPPFLAGS) -DCONFIG_FILE='"$(sysconfdir)/mxdirect/mxdirect.conf"' \
	-DSTS_PROGRAM='"$(pkglibexecdir)/mxdirect-sts"' \
	-DSPF_PROGRAM='"$(pkglibexecdir)/mxdirect-spf"' -DTLS_MODULE='"$(pkglibexecdir)/mxdirect-tls.so"'
mxdirect_agent_LDADD = $(AGENT_LIBS) $(AGENT_SYSTEM_LIBS)

# libcurl and its thirty libraries are for this program alone.
pkglibexec_PROGRAMS += mxdirect-sts
mxdirect_sts_SOURCES = %D%/mxdirect-sts.c %D%/confine.c %D%/confine.h %D%/sts.h
mxdirect_sts_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
mxdirect_sts_LDADD = libwire.a libbase.a $(CURL_LIBS) $(GNUTLS_LIBS)

pkglibexec_PROGRAMS += mxdirect-spf
mxdirect_spf_SOURCES = %D%/mxdirect-spf.c %D%/confine.c %D%/confine.h %D%/spflib.c %D%/spflib.h %D%/spfpacket.h
mxdirect_spf_LDADD = libwire.a libbase.a $(SPF_LIBS)

sbin_PROGRAMS += mxdirectctl
CTL_LIBS = libctl.a libflow.a libcore.a libnet.a libconf.a libstore.a libwire.a libbase.a
CTL_SYSTEM_LIBS = $(CARES_LIBS) $(CONFUSE_LIBS) $(LMDB_LIBS) $(JANSSON_LIBS) -l:libresolv.a
mxdirectctl_SOURCES = %D%/mxdirectctl.c
mxdirectctl_CPPFLAGS = $(mxdirect_agent_CPPFLAGS)
mxdirectctl_LDADD = $(CTL_LIBS) $(CTL_SYSTEM_LIBS)

dist_man8_MANS += %D%/mxdirect.8 %D%/mxdirectctl.8
dist_man5_MANS += %D%/mxdirect.conf.5
