# Unit tests: one program a module, linked with its own floor and the floors below it and nothing else.
FLOOR_BASE = libbase.a $(CUNIT_LIBS)
FLOOR_WIRE = libwire.a libbase.a -lresolv $(CUNIT_LIBS)
FLOOR_NET = libnet.a $(FLOOR_WIRE) $(CARES_LIBS)
FLOOR_TLS = libtls.a libbase.a $(GNUTLS_LIBS) $(CUNIT_LIBS)
FLOOR_CONF = libconf.a $(FLOOR_BASE) $(CONFUSE_LIBS)
FLOOR_STORE = libstore.a $(FLOOR_BASE) $(LMDB_LIBS)
FLOOR_CORE = libcore.a $(FLOOR_WIRE)
FLOOR_FLOW = libflow.a libcore.a libnet.a libconf.a libstore.a $(FLOOR_WIRE) $(AGENT_SYSTEM_LIBS)
FLOOR_CTL = $(CTL_LIBS) $(CTL_SYSTEM_LIBS) $(CUNIT_LIBS)
FLOOR_FRONT = libfront.a $(FLOOR_FLOW)

if HAVE_CUNIT
# Those that wait come first.
UNIT_TESTS = \
	%D%/unit/test_groups \
	%D%/unit/test_lmtpd \
	%D%/unit/test_err \
	%D%/unit/test_span \
	%D%/unit/test_buf \
	%D%/unit/test_arena \
	%D%/unit/test_clock \
	%D%/unit/test_digest \
	%D%/unit/test_rng \
	%D%/unit/test_text \
	%D%/unit/test_ip \
	%D%/unit/test_stagger \
	%D%/unit/test_addr \
	%D%/unit/test_base64 \
	%D%/unit/test_canon \
	%D%/unit/test_command \
	%D%/unit/test_dnsmsg \
	%D%/unit/test_dot \
	%D%/unit/test_ehlo \
	%D%/unit/test_headers \
	%D%/unit/test_lmtp \
	%D%/unit/test_records \
	%D%/unit/test_reply \
	%D%/unit/test_spfrecord \
	%D%/unit/test_sts \
	%D%/unit/test_tlsa \
	%D%/unit/test_xtext \
	%D%/unit/test_dial \
	%D%/unit/test_idna \
	%D%/unit/test_io \
	%D%/unit/test_own \
	%D%/unit/test_resolver \
	%D%/unit/test_secure \
	%D%/unit/test_stream \
	%D%/unit/test_conf \
	%D%/unit/test_place \
	%D%/unit/test_fault \
	%D%/unit/test_slots \
	%D%/unit/test_inspect \
	%D%/unit/test_store \
	%D%/unit/test_table \
	%D%/unit/test_store_damage \
	%D%/unit/test_crypto \
	%D%/unit/test_proof \
	%D%/unit/test_session \
	%D%/unit/test_trust \
	%D%/unit/test_config \
	%D%/unit/test_config_value \
	%D%/unit/test_demand \
	%D%/unit/test_dialog \
	%D%/unit/test_envelope \
	%D%/unit/test_failover \
	%D%/unit/test_health \
	%D%/unit/test_logline \
	%D%/unit/test_mxlist \
	%D%/unit/test_outcome \
	%D%/unit/test_plan \
	%D%/unit/test_tlsrpt \
	%D%/unit/test_report \
	%D%/unit/test_nexthop \
	%D%/unit/test_route \
	%D%/unit/test_sasl \
	%D%/unit/test_stscache \
	%D%/unit/test_intake \
	%D%/unit/test_memory \
	%D%/unit/test_sessions \
	%D%/unit/test_senderspf \
	%D%/unit/test_fitness \
	%D%/unit/test_password \
	%D%/unit/test_ways \
	%D%/unit/test_preview \
	%D%/unit/test_settings \
	%D%/unit/test_spawn \
	%D%/unit/test_spf \
	%D%/unit/test_spf_program \
	%D%/unit/test_stspolicy \
	%D%/unit/test_tlsreport \
	%D%/unit/test_ctl \
	%D%/unit/test_ctl_check \
	%D%/unit/test_ctl_check_exim \
	%D%/unit/test_ctl_check_names \
	%D%/unit/test_ctl_check_net \
	%D%/unit/test_ctl_check_output \
	%D%/unit/test_ctl_check_postfix \
	%D%/unit/test_ctl_check_sender \
	%D%/unit/test_ctl_check_state \
	%D%/unit/test_ctl_details \
	%D%/unit/test_ctl_findings \
	%D%/unit/test_ctl_forget \
	%D%/unit/test_ctl_items \
	%D%/unit/test_ctl_json \
	%D%/unit/test_ctl_memory \
	%D%/unit/test_ctl_page \
	%D%/unit/test_ctl_plan \
	%D%/unit/test_ctl_services \
	%D%/unit/test_ctl_settings \
	%D%/unit/test_ctl_status \
	%D%/unit/test_ctl_table \
	%D%/unit/test_host \
	%D%/unit/test_mailbox \
	%D%/unit/test_client \
	%D%/unit/test_logger \
	%D%/unit/test_options
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

%C%_unit_test_err_SOURCES = %D%/unit/test_err.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_err_LDADD = $(FLOOR_BASE)
%C%_unit_test_span_SOURCES = %D%/unit/test_span.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_span_LDADD = $(FLOOR_BASE)
%C%_unit_test_buf_SOURCES = %D%/unit/test_buf.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_buf_LDADD = $(FLOOR_BASE)
%C%_unit_test_arena_SOURCES = %D%/unit/test_arena.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_arena_LDADD = $(FLOOR_BASE)
%C%_unit_test_clock_SOURCES = %D%/unit/test_clock.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_clock_LDADD = $(FLOOR_BASE)
%C%_unit_test_digest_SOURCES = %D%/unit/test_digest.c %D%/unit/harness.h
%C%_unit_test_digest_LDADD = $(FLOOR_BASE)
%C%_unit_test_rng_SOURCES = %D%/unit/test_rng.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_rng_LDADD = $(FLOOR_BASE)
%C%_unit_test_text_SOURCES = %D%/unit/test_text.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_text_LDADD = $(FLOOR_BASE)
%C%_unit_test_ip_SOURCES = %D%/unit/test_ip.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_ip_LDADD = $(FLOOR_BASE)
%C%_unit_test_stagger_SOURCES = %D%/unit/test_stagger.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_stagger_LDADD = $(FLOOR_BASE)
%C%_unit_test_addr_SOURCES = %D%/unit/test_addr.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_addr_LDADD = $(FLOOR_WIRE)
%C%_unit_test_base64_SOURCES = %D%/unit/test_base64.c %D%/unit/harness.h
%C%_unit_test_base64_LDADD = $(FLOOR_WIRE)
%C%_unit_test_canon_SOURCES = %D%/unit/test_canon.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_canon_LDADD = $(FLOOR_WIRE)
%C%_unit_test_command_SOURCES = %D%/unit/test_command.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_command_LDADD = $(FLOOR_WIRE)
%C%_unit_test_dnsmsg_SOURCES = %D%/unit/test_dnsmsg.c %D%/unit/dns_build.h %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_dnsmsg_LDADD = $(FLOOR_WIRE)
%C%_unit_test_dot_SOURCES = %D%/unit/test_dot.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_dot_LDADD = $(FLOOR_WIRE)
%C%_unit_test_ehlo_SOURCES = %D%/unit/test_ehlo.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_ehlo_LDADD = $(FLOOR_WIRE)
%C%_unit_test_headers_SOURCES = %D%/unit/test_headers.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_headers_LDADD = $(FLOOR_WIRE)
%C%_unit_test_lmtp_SOURCES = %D%/unit/test_lmtp.c %D%/unit/harness.h
%C%_unit_test_lmtp_LDADD = $(FLOOR_WIRE)
%C%_unit_test_records_SOURCES = %D%/unit/test_records.c %D%/unit/harness.h
%C%_unit_test_records_LDADD = $(FLOOR_WIRE)
%C%_unit_test_reply_SOURCES = %D%/unit/test_reply.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_reply_LDADD = $(FLOOR_WIRE)
%C%_unit_test_dial_SOURCES = %D%/unit/test_dial.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_dial_LDADD = $(FLOOR_NET)
%C%_unit_test_idna_SOURCES = %D%/unit/test_idna.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_idna_LDADD = $(FLOOR_NET)
%C%_unit_test_io_SOURCES = %D%/unit/test_io.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_io_LDADD = $(FLOOR_NET)
%C%_unit_test_own_SOURCES = %D%/unit/test_own.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_own_LDADD = $(FLOOR_NET)
%C%_unit_test_resolver_SOURCES = %D%/unit/test_resolver.c %D%/unit/dns_build.h %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_resolver_LDADD = $(FLOOR_NET)
%C%_unit_test_stream_SOURCES = %D%/unit/test_stream.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_stream_LDADD = $(FLOOR_NET)
%C%_unit_test_conf_SOURCES = %D%/unit/test_conf.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_conf_LDADD = $(FLOOR_CONF)
%C%_unit_test_place_SOURCES = %D%/unit/test_place.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_place_LDADD = $(FLOOR_STORE)
%C%_unit_test_fault_SOURCES = %D%/unit/test_fault.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_fault_LDADD = $(FLOOR_STORE)
%C%_unit_test_slots_SOURCES = %D%/unit/test_slots.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_slots_LDADD = $(FLOOR_STORE)
%C%_unit_test_inspect_SOURCES = %D%/unit/test_inspect.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_inspect_LDADD = $(FLOOR_STORE)
%C%_unit_test_store_SOURCES = %D%/unit/test_store.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_store_LDADD = $(FLOOR_STORE)
%C%_unit_test_table_SOURCES = %D%/unit/test_table.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_table_LDADD = $(FLOOR_STORE)
%C%_unit_test_store_damage_SOURCES = %D%/unit/test_store_damage.c %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_store_damage_LDADD = $(FLOOR_STORE)
%C%_unit_test_config_SOURCES = %D%/unit/test_config.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_config_LDADD = $(FLOOR_CORE)
%C%_unit_test_config_value_SOURCES = %D%/unit/test_config_value.c %D%/unit/harness.h
%C%_unit_test_config_value_LDADD = $(FLOOR_CORE)
%C%_unit_test_dialog_SOURCES = %D%/unit/test_dialog.c %D%/unit/dialog_first.h %D%/unit/dialog_kept.h \
	%D%/unit/dialog_login.h %D%/unit/dialog_login_more.h %D%/unit/scram_server.h %D%/unit/dialog_more.h %D%/unit/dialog_play.h \
	%D%/unit/dialog_stories.h %D%/unit/dialog_tls.h %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_dialog_LDADD = $(FLOOR_CORE)
%C%_unit_test_envelope_SOURCES = %D%/unit/test_envelope.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_envelope_LDADD = $(FLOOR_CORE)
%C%_unit_test_failover_SOURCES = %D%/unit/test_failover.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_failover_LDADD = $(FLOOR_CORE)
%C%_unit_test_health_SOURCES = %D%/unit/test_health.c %D%/unit/harness.h
%C%_unit_test_health_LDADD = $(FLOOR_CORE)
%C%_unit_test_logline_SOURCES = %D%/unit/test_logline.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_logline_LDADD = $(FLOOR_CORE)
%C%_unit_test_mxlist_SOURCES = %D%/unit/test_mxlist.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_mxlist_LDADD = $(FLOOR_CORE)
%C%_unit_test_outcome_SOURCES = %D%/unit/test_outcome.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_outcome_LDADD = $(FLOOR_CORE)
%C%_unit_test_plan_SOURCES = %D%/unit/test_plan.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_plan_LDADD = $(FLOOR_CORE)
%C%_unit_test_report_SOURCES = %D%/unit/test_report.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_report_LDADD = $(FLOOR_CORE)
%C%_unit_test_nexthop_SOURCES = %D%/unit/test_nexthop.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_nexthop_LDADD = $(FLOOR_CORE)
%C%_unit_test_route_SOURCES = %D%/unit/test_route.c %D%/unit/harness.h
%C%_unit_test_route_LDADD = $(FLOOR_CORE)
# With the real functions of the TLS module, which are handed in as a value.
%C%_unit_test_sasl_SOURCES = %D%/unit/test_sasl.c %D%/unit/scram_server.h %D%/unit/harness.h
%C%_unit_test_sasl_LDADD = libtls.a $(FLOOR_CORE) $(GNUTLS_LIBS)
%C%_unit_test_stscache_SOURCES = %D%/unit/test_stscache.c %D%/unit/harness.h
%C%_unit_test_stscache_LDADD = $(FLOOR_CORE)
%C%_unit_test_intake_SOURCES = %D%/unit/test_intake.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_intake_LDADD = $(FLOOR_FLOW)
%C%_unit_test_memory_SOURCES = %D%/unit/test_memory.c %D%/unit/memory_world.h %D%/unit/memory_health.h \
	%D%/unit/memory_slots.h %D%/unit/memory_spf.h %D%/unit/memory_trouble.h %D%/unit/store_dir.h %D%/unit/harness.h
%C%_unit_test_memory_LDADD = $(FLOOR_FLOW)
%C%_unit_test_sessions_SOURCES = %D%/unit/test_sessions.c %D%/unit/harness.h
%C%_unit_test_sessions_LDADD = $(FLOOR_FLOW)
%C%_unit_test_senderspf_SOURCES = %D%/unit/test_senderspf.c %D%/unit/sender_world.h %D%/unit/spf_zone.h %D%/unit/store_dir.h \
	%D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_senderspf_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_senderspf_LDADD = $(FLOOR_FLOW)
EXTRA_%C%_unit_test_senderspf_DEPENDENCIES = mxdirect-spf
%C%_unit_test_fitness_SOURCES = %D%/unit/test_fitness.c %D%/unit/sender_world.h %D%/unit/spf_zone.h %D%/unit/store_dir.h \
	%D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_fitness_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_fitness_LDADD = $(FLOOR_FLOW)
EXTRA_%C%_unit_test_fitness_DEPENDENCIES = mxdirect-spf
%C%_unit_test_password_SOURCES = %D%/unit/test_password.c %D%/unit/harness.h
%C%_unit_test_password_LDADD = $(FLOOR_FLOW)
%C%_unit_test_ways_SOURCES = %D%/unit/test_ways.c %D%/unit/harness.h
%C%_unit_test_ways_LDADD = $(FLOOR_FLOW)
%C%_unit_test_preview_SOURCES = %D%/unit/test_preview.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/mail_stub.h %D%/unit/plan_world.h %D%/unit/spf_zone.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_preview_LDADD = $(FLOOR_FLOW)
%C%_unit_test_settings_SOURCES = %D%/unit/test_settings.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_settings_LDADD = $(FLOOR_FLOW)
%C%_unit_test_ctl_SOURCES = %D%/unit/test_ctl.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_check_SOURCES = %D%/unit/test_ctl_check.c %D%/unit/check_world.h %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/dns_build.h %D%/unit/spf_zone.h \
	%D%/unit/harness.h
%C%_unit_test_ctl_check_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_ctl_check_LDADD = $(FLOOR_CTL)
EXTRA_%C%_unit_test_ctl_check_DEPENDENCIES = mxdirect-spf
%C%_unit_test_ctl_check_names_SOURCES = %D%/unit/test_ctl_check_names.c %D%/unit/harness.h
%C%_unit_test_ctl_check_names_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_check_net_SOURCES = %D%/unit/test_ctl_check_net.c %D%/unit/check_world.h %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/dns_build.h %D%/unit/spf_zone.h \
	%D%/unit/harness.h
%C%_unit_test_ctl_check_net_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_ctl_check_net_LDADD = $(FLOOR_CTL)
EXTRA_%C%_unit_test_ctl_check_net_DEPENDENCIES = mxdirect-spf
%C%_unit_test_ctl_check_output_SOURCES = %D%/unit/test_ctl_check_output.c %D%/unit/harness.h
%C%_unit_test_ctl_check_output_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_check_exim_SOURCES = %D%/unit/test_ctl_check_exim.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_check_exim_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_check_postfix_SOURCES = %D%/unit/test_ctl_check_postfix.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_check_postfix_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_check_sender_SOURCES = %D%/unit/test_ctl_check_sender.c %D%/unit/check_world.h %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/dns_build.h %D%/unit/spf_zone.h \
	%D%/unit/harness.h
%C%_unit_test_ctl_check_sender_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_ctl_check_sender_LDADD = $(FLOOR_CTL)
EXTRA_%C%_unit_test_ctl_check_sender_DEPENDENCIES = mxdirect-spf
%C%_unit_test_ctl_check_state_SOURCES = %D%/unit/test_ctl_check_state.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_check_state_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_findings_SOURCES = %D%/unit/test_ctl_findings.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_findings_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_details_SOURCES = %D%/unit/test_ctl_details.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_details_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_forget_SOURCES = %D%/unit/test_ctl_forget.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_forget_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_items_SOURCES = %D%/unit/test_ctl_items.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_items_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_json_SOURCES = %D%/unit/test_ctl_json.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_json_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_memory_SOURCES = %D%/unit/test_ctl_memory.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_memory_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_page_SOURCES = %D%/unit/test_ctl_page.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_page_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_plan_SOURCES = %D%/unit/test_ctl_plan.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/mail_stub.h %D%/unit/plan_world.h %D%/unit/spf_zone.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_ctl_plan_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_services_SOURCES = %D%/unit/test_ctl_services.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/mail_stub.h %D%/unit/plan_world.h %D%/unit/spf_zone.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_ctl_services_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_settings_SOURCES = %D%/unit/test_ctl_settings.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/mail_stub.h %D%/unit/plan_world.h %D%/unit/spf_zone.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_ctl_settings_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_status_SOURCES = %D%/unit/test_ctl_status.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_status_LDADD = $(FLOOR_CTL)
%C%_unit_test_ctl_table_SOURCES = %D%/unit/test_ctl_table.c %D%/unit/ctl_example.h %D%/unit/ctl_print.h %D%/unit/harness.h
%C%_unit_test_ctl_table_LDADD = $(FLOOR_CTL)
%C%_unit_test_host_SOURCES = %D%/unit/test_host.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_host_LDADD = $(FLOOR_FRONT)
%C%_unit_test_mailbox_SOURCES = %D%/unit/test_mailbox.c %D%/unit/harness.h
%C%_unit_test_mailbox_LDADD = $(FLOOR_FRONT)
%C%_unit_test_client_SOURCES = %D%/unit/test_client.c %D%/unit/harness.h
%C%_unit_test_client_LDADD = $(FLOOR_FRONT)
%C%_unit_test_groups_SOURCES = %D%/unit/test_groups.c %D%/unit/mail_stub.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_groups_LDADD = $(FLOOR_FRONT)
%C%_unit_test_lmtpd_SOURCES = %D%/unit/test_lmtpd.c %D%/unit/mail_stub.h %D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_lmtpd_LDADD = $(FLOOR_FRONT)
%C%_unit_test_logger_SOURCES = %D%/unit/test_logger.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_logger_LDADD = $(FLOOR_FRONT)
%C%_unit_test_options_SOURCES = %D%/unit/test_options.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_options_LDADD = $(FLOOR_FRONT)
%C%_unit_test_spfrecord_SOURCES = %D%/unit/test_spfrecord.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_spfrecord_LDADD = $(FLOOR_WIRE)
%C%_unit_test_spawn_SOURCES = %D%/unit/test_spawn.c %D%/unit/harness.h
%C%_unit_test_spawn_LDADD = $(FLOOR_FLOW)
SPF_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DSPF_PROGRAM='"$(abs_top_builddir)/mxdirect-spf"'
%C%_unit_test_spf_SOURCES = %D%/unit/test_spf.c %D%/unit/spf_records.h %D%/unit/spf_world.h %D%/unit/spf_zone.h \
	%D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_spf_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_spf_LDADD = $(FLOOR_FLOW)
EXTRA_%C%_unit_test_spf_DEPENDENCIES = mxdirect-spf
%C%_unit_test_spf_program_SOURCES = %D%/unit/test_spf_program.c %D%/unit/spf_world.h %D%/unit/spf_zone.h \
	%D%/unit/dns_build.h %D%/unit/harness.h
%C%_unit_test_spf_program_CPPFLAGS = $(SPF_TEST_CPPFLAGS)
%C%_unit_test_spf_program_LDADD = $(FLOOR_FLOW)
EXTRA_%C%_unit_test_spf_program_DEPENDENCIES = mxdirect-spf
%C%_unit_test_sts_SOURCES = %D%/unit/test_sts.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_sts_LDADD = $(FLOOR_WIRE)
%C%_unit_test_tlsa_SOURCES = %D%/unit/test_tlsa.c %D%/unit/harness.h %D%/unit/guard_page.h
%C%_unit_test_tlsa_LDADD = $(FLOOR_WIRE)
%C%_unit_test_xtext_SOURCES = %D%/unit/test_xtext.c %D%/unit/harness.h
%C%_unit_test_xtext_LDADD = $(FLOOR_WIRE)
%C%_unit_test_secure_SOURCES = %D%/unit/test_secure.c %D%/unit/harness.h %D%/unit/pki.h
%C%_unit_test_secure_LDADD = $(FLOOR_NET) $(GNUTLS_LIBS)
%C%_unit_test_crypto_SOURCES = %D%/unit/test_crypto.c %D%/unit/harness.h
%C%_unit_test_crypto_LDADD = $(FLOOR_TLS)
%C%_unit_test_proof_SOURCES = %D%/unit/test_proof.c %D%/unit/harness.h %D%/unit/pki.h
%C%_unit_test_proof_LDADD = $(FLOOR_TLS)
%C%_unit_test_session_SOURCES = %D%/unit/test_session.c %D%/unit/harness.h %D%/unit/pki.h
%C%_unit_test_session_LDADD = $(FLOOR_TLS)
%C%_unit_test_trust_SOURCES = %D%/unit/test_trust.c %D%/unit/harness.h %D%/unit/pki.h
%C%_unit_test_trust_LDADD = $(FLOOR_TLS)
%C%_unit_test_demand_SOURCES = %D%/unit/test_demand.c %D%/unit/harness.h
%C%_unit_test_demand_LDADD = $(FLOOR_CORE)
%C%_unit_test_tlsrpt_SOURCES = %D%/unit/test_tlsrpt.c %D%/unit/harness.h
%C%_unit_test_tlsrpt_LDADD = $(FLOOR_CORE)
%C%_unit_test_stspolicy_SOURCES = %D%/unit/test_stspolicy.c %D%/unit/harness.h %D%/unit/dns_build.h %D%/unit/stspolicy_memory.h %D%/unit/store_dir.h
%C%_unit_test_stspolicy_LDADD = $(FLOOR_FLOW)
%C%_unit_test_tlsreport_SOURCES = %D%/unit/test_tlsreport.c %D%/unit/harness.h
%C%_unit_test_tlsreport_LDADD = $(FLOOR_FLOW)

# Fuzz targets: with --enable-fuzz linked with libFuzzer, otherwise with a main that replays the corpus.
FUZZ_TARGETS = \
	%D%/fuzz/fuzz_addr \
	%D%/fuzz/fuzz_base64 \
	%D%/fuzz/fuzz_canon \
	%D%/fuzz/fuzz_dnsmsg \
	%D%/fuzz/fuzz_ehlo \
	%D%/fuzz/fuzz_headers \
	%D%/fuzz/fuzz_lmtp \
	%D%/fuzz/fuzz_lmtpd \
	%D%/fuzz/fuzz_records \
	%D%/fuzz/fuzz_reply \
	%D%/fuzz/fuzz_sasl \
	%D%/fuzz/fuzz_spf \
	%D%/fuzz/fuzz_sts \
	%D%/fuzz/fuzz_tlsa \
	%D%/fuzz/fuzz_conf \
	%D%/fuzz/fuzz_dialog
check_PROGRAMS += $(FUZZ_TARGETS)
if FUZZ
REPLAY_MAIN =
LINK_FUZZ = $(AM_LDFLAGS) -fsanitize=fuzzer
else
REPLAY_MAIN = %D%/fuzz/replay.c
LINK_FUZZ = $(AM_LDFLAGS)
endif
FUZZ_WIRE = libwire.a libbase.a -lresolv
FUZZ_CORE = libcore.a $(FUZZ_WIRE)
FUZZ_FLOW = libconf.a $(FUZZ_CORE) $(CONFUSE_LIBS)
%C%_fuzz_fuzz_addr_SOURCES = %D%/fuzz/fuzz_addr.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_addr_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_addr_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_base64_SOURCES = %D%/fuzz/fuzz_base64.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_base64_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_base64_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_canon_SOURCES = %D%/fuzz/fuzz_canon.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_canon_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_canon_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_dnsmsg_SOURCES = %D%/fuzz/fuzz_dnsmsg.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_dnsmsg_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_dnsmsg_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_ehlo_SOURCES = %D%/fuzz/fuzz_ehlo.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_ehlo_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_ehlo_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_headers_SOURCES = %D%/fuzz/fuzz_headers.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_headers_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_headers_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_lmtpd_SOURCES = %D%/fuzz/fuzz_lmtpd.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_lmtpd_LDADD = $(AGENT_LIBS) $(AGENT_SYSTEM_LIBS)
%C%_fuzz_fuzz_lmtpd_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_records_SOURCES = %D%/fuzz/fuzz_records.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_records_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_records_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_lmtp_SOURCES = %D%/fuzz/fuzz_lmtp.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_lmtp_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_lmtp_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_reply_SOURCES = %D%/fuzz/fuzz_reply.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_reply_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_reply_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_sasl_SOURCES = %D%/fuzz/fuzz_sasl.c %D%/unit/scram_server.h $(REPLAY_MAIN)
%C%_fuzz_fuzz_sasl_LDADD = $(FUZZ_CORE)
%C%_fuzz_fuzz_sasl_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_conf_SOURCES = %D%/fuzz/fuzz_conf.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_conf_LDADD = $(FUZZ_FLOW)
%C%_fuzz_fuzz_conf_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_dialog_SOURCES = %D%/fuzz/fuzz_dialog.c %D%/fuzz/fuzz_login.h $(REPLAY_MAIN)
%C%_fuzz_fuzz_dialog_LDADD = $(FUZZ_CORE)
%C%_fuzz_fuzz_dialog_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_spf_SOURCES = %D%/fuzz/fuzz_spf.c agent/spflib.c agent/spflib.h agent/spfpacket.h $(REPLAY_MAIN)
%C%_fuzz_fuzz_spf_LDADD = $(FUZZ_WIRE) $(SPF_LIBS)
%C%_fuzz_fuzz_spf_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_sts_SOURCES = %D%/fuzz/fuzz_sts.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_sts_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_sts_LDFLAGS = $(LINK_FUZZ)
%C%_fuzz_fuzz_tlsa_SOURCES = %D%/fuzz/fuzz_tlsa.c $(REPLAY_MAIN)
%C%_fuzz_fuzz_tlsa_LDADD = $(FUZZ_WIRE)
%C%_fuzz_fuzz_tlsa_LDFLAGS = $(LINK_FUZZ)
TESTS += %D%/fuzz/replay-all
EXTRA_DIST += %D%/fuzz/replay-all %D%/fuzz/replay.c %D%/fuzz/corpus
EXTRA_DIST += %D%/run %D%/layers.sh %D%/budget.sh %D%/scenarios %D%/tools %D%/hosts %D%/bench %D%/ctl %D%/guard
