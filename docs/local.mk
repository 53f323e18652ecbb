# Manual pages and the living design. The settings' page is put together from words and from the
# tables that the daemon itself is driven by, so that it cannot fall behind.
dist_man_MANS = docs/hearthctl.1 docs/hearthd.8 docs/libhearth.3
nodist_man_MANS = docs/hearthd.conf.5
dist_doc_DATA = docs/beacon-format.md docs/design.md README.md ChangeLog.md
EXTRA_DIST += docs/hearthd.conf.5.in docs/hearthd.conf.5.tail
CLEANFILES += docs/hearthd.conf.5

docs/hearthd.conf.5: hearthd$(EXEEXT) docs/hearthd.conf.5.in docs/hearthd.conf.5.tail
	$(AM_V_GEN)$(MKDIR_P) docs && { cat $(top_srcdir)/docs/hearthd.conf.5.in && \
	    ./hearthd$(EXEEXT) --manual -c /dev/null && \
	    cat $(top_srcdir)/docs/hearthd.conf.5.tail; } >$@.new && mv $@.new $@
