# announce: the beacon protocol. Codec, keys, engines and their edges.
noinst_LIBRARIES += src/libannounce.a
src_libannounce_a_SOURCES = \
	src/services/announce/armor.c src/services/announce/armor.h \
	src/services/announce/beacon_crypt.c src/services/announce/beacon_crypt.h \
	src/services/announce/beacon_keys.c src/services/announce/beacon_keys.h \
	src/services/announce/beacon_msg.c src/services/announce/beacon_msg.h \
	src/services/announce/txt.c src/services/announce/txt.h
