# announce: the beacon protocol. Codec, keys, engines and their edges.
noinst_LIBRARIES += src/libannounce.a
# What a subscriber needs; libhearth has it too.
ANNOUNCE_SUBSCRIBER = \
	src/services/announce/armor.c src/services/announce/armor.h \
	src/services/announce/beacon_crypt.c src/services/announce/beacon_crypt.h \
	src/services/announce/beacon_gaps.c src/services/announce/beacon_gaps.h \
	src/services/announce/beacon_hold.c src/services/announce/beacon_hold.h \
	src/services/announce/beacon_jitter.h \
	src/services/announce/beacon_keys.c src/services/announce/beacon_keys.h \
	src/services/announce/beacon_memory.c \
	src/services/announce/beacon_msg.c src/services/announce/beacon_msg.h \
	src/services/announce/beacon_net.c src/services/announce/beacon_net.h \
	src/services/announce/beacon_news.c \
	src/services/announce/beacon_parts.c src/services/announce/beacon_parts.h \
	src/services/announce/beacon_proof.c \
	src/services/announce/beacon_receiver.c src/services/announce/beacon_receiver.h \
	src/services/announce/beacon_receiver_priv.h \
	src/services/announce/beacon_tenant.c src/services/announce/beacon_tenant.h \
	src/services/announce/beacon_topics.c src/services/announce/beacon_topics.h \
	src/services/announce/txt.c src/services/announce/txt.h
src_libannounce_a_SOURCES = $(ANNOUNCE_SUBSCRIBER) \
	src/services/announce/announce_commands.c \
	src/services/announce/announce_keys.c \
	src/services/announce/announce_files.c src/services/announce/announce_files.h \
	src/services/announce/announce_service.c src/services/announce/announce_service.h \
	src/services/announce/announce_service_priv.h \
	src/services/announce/beacon_answer.c \
	src/services/announce/beacon_leases.c src/services/announce/beacon_leases.h \
	src/services/announce/beacon_ring.c src/services/announce/beacon_ring.h \
	src/services/announce/beacon_sender.c src/services/announce/beacon_sender.h \
	src/services/announce/beacon_sender_priv.h
