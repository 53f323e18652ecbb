UNIT_ANNOUNCE = tests/libsupport.a src/libannounce.a src/libcore.a src/libutil.a $(CORE_LIBS) \
	$(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test_txt tests/unit/test_beacon_msg tests/unit/test_beacon_keys
TESTS += tests/unit/test_txt tests/unit/test_beacon_msg tests/unit/test_beacon_keys

tests_unit_test_txt_SOURCES = tests/unit/test_txt.c
tests_unit_test_txt_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_txt_LDADD = $(UNIT_ANNOUNCE)

tests_unit_test_beacon_msg_SOURCES = tests/unit/test_beacon_msg.c
tests_unit_test_beacon_msg_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_beacon_msg_LDADD = $(UNIT_ANNOUNCE)

tests_unit_test_beacon_keys_SOURCES = tests/unit/test_beacon_keys.c
tests_unit_test_beacon_keys_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_beacon_keys_LDADD = $(UNIT_ANNOUNCE)

check_PROGRAMS += tests/unit/test_beacon_lease tests/unit/test_beacon_vectors
TESTS += tests/unit/test_beacon_lease tests/unit/test_beacon_vectors
EXTRA_DIST += tests/vectors/beacon.txt

tests_unit_test_beacon_lease_SOURCES = tests/unit/test_beacon_lease.c
tests_unit_test_beacon_lease_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_beacon_lease_LDADD = $(UNIT_ANNOUNCE)

tests_unit_test_beacon_vectors_SOURCES = tests/unit/test_beacon_vectors.c
tests_unit_test_beacon_vectors_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_beacon_vectors_LDADD = $(UNIT_ANNOUNCE)

# Simulations: announcers and subscribers on a virtual clock.
SIM_BEACON = tests/sim/beacon_net.c tests/sim/beacon_net.h
check_PROGRAMS += tests/sim/test_beacon_link tests/sim/test_beacon_attack
check_PROGRAMS += tests/sim/test_beacon_keyroll
TESTS += tests/sim/test_beacon_link tests/sim/test_beacon_attack tests/sim/test_beacon_keyroll

tests_sim_test_beacon_link_SOURCES = tests/sim/test_beacon_link.c $(SIM_BEACON)
tests_sim_test_beacon_link_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_sim_test_beacon_link_LDADD = $(UNIT_ANNOUNCE)

tests_sim_test_beacon_attack_SOURCES = tests/sim/test_beacon_attack.c $(SIM_BEACON)
tests_sim_test_beacon_attack_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_sim_test_beacon_attack_LDADD = $(UNIT_ANNOUNCE)

tests_sim_test_beacon_keyroll_SOURCES = tests/sim/test_beacon_keyroll.c $(SIM_BEACON)
tests_sim_test_beacon_keyroll_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_sim_test_beacon_keyroll_LDADD = $(UNIT_ANNOUNCE)

check_PROGRAMS += tests/unit/test_announce_keys
TESTS += tests/unit/test_announce_keys
tests_unit_test_announce_keys_SOURCES = tests/unit/test_announce_keys.c tests/support/edge.h
tests_unit_test_announce_keys_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_announce_keys_LDADD = $(UNIT_ANNOUNCE)
tests_unit_test_announce_keys_LDFLAGS = -Wl,--wrap=beacon_sender_new
