# hearthctl import: texts to text, apart from the command itself (import.c).
noinst_LIBRARIES += src/libimport.a
src_libimport_a_SOURCES = \
	src/hearthctl/import_conf.c src/hearthctl/import_conf.h \
	src/hearthctl/import_dnsmasq.c src/hearthctl/import_dnsmasq.h \
	src/hearthctl/import_dnsmasq_impl.h \
	src/hearthctl/import_dnsmasq_read.c \
	src/hearthctl/import_dnsmasq_records.c \
	src/hearthctl/import_dnsmasq_servers.c \
	src/hearthctl/import_dnsmasq_tftp.c \
	src/hearthctl/import_line.c src/hearthctl/import_line.h
