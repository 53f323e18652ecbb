/* SPDX-License-Identifier: MIT */
/* Reloads of the announcer with other keys: without memory, and while a number is written. */
#include "services/announce/announce_service.h"

#include "core/netif.h"
#include "core/rand.h"
#include "services/announce/announce_service_priv.h"
#include "support/edge.h"

/* --- senders fail to start on demand ---------------------------------------------------------- */

enum err __real_beacon_sender_new(struct beacon_sender **out, const struct beacon_sender_opts *o);
enum err __wrap_beacon_sender_new(struct beacon_sender **out, const struct beacon_sender_opts *o);

static unsigned failures;	/* of the next ones */

enum err
__wrap_beacon_sender_new(struct beacon_sender **out, const struct beacon_sender_opts *o)
{
	if (failures == 0)
		return __real_beacon_sender_new(out, o);
	failures--;
	return ERR_NOMEM;
}

/* --- a daemon that only announces, on no interface -------------------------------------------- */

static struct {
	struct log *log;
	struct netif *netif;
	struct rand rand;
	struct services *services;
	struct service_ops ops;
	struct conf_key table[2];
	struct conf_file *settings[8];	/* all that were read; released at the end */
	size_t count;
	struct announce *an;
} d;

static enum err
start_and_tell(struct service *sv, const struct conf *cf)
{
	enum err e = announce_service_ops.start(sv, cf);

	d.an = sv->state;
	return e;
}

/* Settings with these lines in the section. */
static const struct conf *
read_settings(const char *lines)
{
	char text[512];

	snprintf(text, sizeof(text), "announce { interfaces = { \"none\" } port = %d %s }",
	    20000 + (int)getpid() % 20000, lines);
	CU_ASSERT_FATAL(d.count < sizeof(d.settings) / sizeof(d.settings[0]));
	d.settings[d.count] = edge_settings(text, d.table);
	return conf_root(d.settings[d.count++]);
}

static enum err
reload(const char *lines)
{
	const struct conf *old = conf_root(d.settings[d.count - 1]);

	return services_apply(d.services, read_settings(lines), old);
}

static void
make_key(const char *name)
{
	char why[BEACON_WHY_MAX];

	CU_ASSERT_EQUAL_FATAL(beacon_identity_make(edge_path(name), why), OK);
}

static void
begin(const char *lines)
{
	static char state[64];
	uint8_t key[SEAL_KEY_BYTES] = { 1 };
	char group[BEACON_GROUP_TEXT];

	CU_ASSERT_EQUAL_FATAL(seal_init(), OK);
	edge_begin(1, 8);
	for (size_t i = 0; i < 3; i++)
		make_key((const char *const[]){ "a.key", "b.key", "c.key" }[i]);
	beacon_group_format(group, key);
	edge_put("group.key", group);
	snprintf(state, sizeof(state), "%s", edge.dir);
	CU_ASSERT_EQUAL_FATAL(log_new(&d.log, LOG_LEVEL_ERR, LOG_FORMAT_TEXT), OK);
	CU_ASSERT_EQUAL_FATAL(netif_new(&d.netif, edge.loop, d.log), OK);
	rand_init(&d.rand);
	CU_ASSERT_EQUAL_FATAL(services_new(&d.services), OK);
	d.ops = announce_service_ops;
	d.ops.start = start_and_tell;
	CU_ASSERT_EQUAL_FATAL(services_add(d.services, &d.ops), OK);
	CU_ASSERT_EQUAL_FATAL(services_keys(d.services, d.table, 1), 1);

	struct services_env env = { .loop = edge.loop, .log = d.log, .netif = d.netif,
		.offload = edge.pool, .rand = &d.rand, .state_dir = state };

	CU_ASSERT_EQUAL_FATAL(services_start(d.services, &env, read_settings(lines)), OK);
}

static void
end(void)
{
	services_stop(d.services);
	EDGE_AWAIT(offload_stats(edge.pool)->waiting == 0);
	services_free(d.services);
	while (d.count != 0)
		conf_file_free(d.settings[--d.count]);
	rand_fini(&d.rand);
	netif_free(d.netif);
	log_free(d.log);
	edge_end();
}

/* The id of the key in a file. */
static uint64_t
id_in(const char *name)
{
	struct beacon_identity me;
	char why[BEACON_WHY_MAX];
	uint64_t id;

	CU_ASSERT_EQUAL_FATAL(beacon_identity_load(&me, edge_path(name), why), OK);
	id = me.id;
	beacon_identity_fini(&me);
	return id;
}

static void
speaks_as(const struct announce_voice *v, const char *name)
{
	CU_ASSERT_PTR_NOT_NULL(v->sender);
	CU_ASSERT_EQUAL(v->me.id, id_in(name));
}

#define STATE "publish \"t\" { text = { \"x\" } }"
#define A_KEY "sender-key = \"@/a.key\" " STATE
#define B_KEY "sender-key = \"@/b.key\" old-sender-key = \"@/a.key\" " STATE
#define C_KEY "sender-key = \"@/c.key\" old-sender-key = \"@/b.key\" " STATE

/* --- cases ------------------------------------------------------------------------------------ */

static void
both_voices_stay_where_there_is_no_memory_for_a_new_one(void)
{
	begin(A_KEY);
	speaks_as(d.an->voice, "a.key");
	CU_ASSERT_EQUAL(reload(B_KEY), OK);
	speaks_as(d.an->voice, "b.key");
	speaks_as(d.an->old_voice, "a.key");

	failures = 1;
	CU_ASSERT_EQUAL(reload(C_KEY), ERR_NOMEM);
	CU_ASSERT_EQUAL(failures, 0);
	speaks_as(d.an->voice, "b.key");
	speaks_as(d.an->old_voice, "a.key");
	CU_ASSERT_EQUAL(beacon_sender_count(d.an->voice->sender), 1);

	CU_ASSERT_EQUAL(reload(C_KEY), OK);
	speaks_as(d.an->voice, "c.key");
	speaks_as(d.an->old_voice, "b.key");
	CU_ASSERT_EQUAL(beacon_sender_count(d.an->voice->sender), 1);
	end();
}

static void
a_public_group_stays_public_where_there_is_no_memory_to_seal(void)
{
	begin(A_KEY);
	failures = 1;
	CU_ASSERT_EQUAL(reload(A_KEY " group-key = \"@/group.key\""), ERR_NOMEM);
	CU_ASSERT_EQUAL(d.an->ring.count, 0);
	speaks_as(d.an->voice, "a.key");
	CU_ASSERT_EQUAL(reload(A_KEY " group-key = \"@/group.key\""), OK);
	CU_ASSERT_EQUAL(d.an->ring.count, 1);
	speaks_as(d.an->voice, "a.key");
	CU_ASSERT_PTR_NULL(d.an->old_voice->sender);
	/* And the other way. */
	failures = 1;
	CU_ASSERT_EQUAL(reload(A_KEY), ERR_NOMEM);
	CU_ASSERT_EQUAL(d.an->ring.count, 1);
	end();
}

/* Another host has proven to have our key, and our number. */
static void
find_clone(void)
{
	announce_sender_ops.clone(d.an->voice, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.an->epoch_job);
}

static void
a_clone_with_our_number_makes_us_take_another(void)
{
	begin(A_KEY);

	uint64_t before = beacon_sender_epoch(d.an->voice->sender);

	find_clone();
	EDGE_AWAIT(d.an->epoch_job == NULL);
	CU_ASSERT(beacon_sender_epoch(d.an->voice->sender) > before);
	end();
}

/* It is written while a reload brings another key: the number is not for that one. */
static void
a_number_on_its_way_is_for_the_key_it_was_made_for(void)
{
	begin(A_KEY);
	find_clone();
	CU_ASSERT_EQUAL(reload(B_KEY), OK);
	CU_ASSERT_PTR_NOT_NULL(d.an->epoch_job);

	uint64_t before = beacon_sender_epoch(d.an->voice->sender);
	uint64_t made = d.an->epoch_job->epoch;

	CU_ASSERT_NOT_EQUAL(made, before);
	EDGE_AWAIT(d.an->epoch_job == NULL);
	speaks_as(d.an->voice, "b.key");
	CU_ASSERT_EQUAL(beacon_sender_epoch(d.an->voice->sender), before);
	end();
}

static void
a_number_on_its_way_outlives_the_service(void)
{
	begin(A_KEY);
	find_clone();
	end();
}

UNIT_MAIN("announce_keys", UNIT(both_voices_stay_where_there_is_no_memory_for_a_new_one),
    UNIT(a_public_group_stays_public_where_there_is_no_memory_to_seal),
    UNIT(a_clone_with_our_number_makes_us_take_another),
    UNIT(a_number_on_its_way_is_for_the_key_it_was_made_for),
    UNIT(a_number_on_its_way_outlives_the_service))
