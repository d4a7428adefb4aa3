# What is not built: examples for the host MTAs, and the demonstration.
EXTRA_DIST += \
	%D%/demo %D%/show.py %D%/mxdirectctl.bash-completion \
	%D%/examples/exim-lmtp.conf \
	%D%/examples/exim-pipe.conf \
	%D%/examples/mxdirect.conf \
	%D%/examples/mxdirect_safety \
	%D%/examples/postfix-lmtp-main.cf \
	%D%/examples/postfix-lmtp-master.cf \
	%D%/examples/postfix-main.cf \
	%D%/examples/postfix-master.cf

bashcompletiondir = $(datadir)/bash-completion/completions
install-data-local:
	$(MKDIR_P) $(DESTDIR)$(bashcompletiondir)
	$(INSTALL_DATA) $(srcdir)/%D%/mxdirectctl.bash-completion $(DESTDIR)$(bashcompletiondir)/mxdirectctl
uninstall-local:
	rm -f $(DESTDIR)$(bashcompletiondir)/mxdirectctl
