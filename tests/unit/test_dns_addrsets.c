/* SPDX-License-Identifier: MIT */
/* The edge of the sets with a kernel that the test plays: what it is told, and when it is busy. */
#include "services/dns/dns_addrsets.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "core/report_json.h"
#include "support/dns.h"
#include "support/edge.h"

/* --- the kernel ------------------------------------------------------------------------------- */

/* In place of that of core/addrset.c; used by the pool. */
static struct addrset_kernel {
	atomic_uint looks, adds, elements;
	atomic_bool slow;	/* add() waits for `go` after `entered` */
	atomic_bool full;	/* there is no room for the address 198.51.100.0 */
	atomic_int made;
	sem_t entered, go;
} kernel;

enum err
addrset_open(struct addrset_kernel **out)
{
	*out = &kernel;
	return OK;
}

void
addrset_close(struct addrset_kernel *k)
{
	(void)k;
}

enum err
addrset_describe(struct addrset_kernel *k, const struct addrset_id *id, struct addrset_info *out)
{
	*out = (struct addrset_info){ .made[0] = (uint64_t)k->made, .bytes = 4, .timeouts = true };
	k->looks++;
	return strcmp(id->name, "gone") == 0 ? ERR_NOTFOUND : OK;
}

enum err
addrset_add(struct addrset_kernel *k, const struct addrset_id *id, const struct addrset_info *info,
    const struct addrset_element *elements, size_t count)
{
	(void)id;
	CU_ASSERT_EQUAL(info->bytes, 4);
	k->adds++;
	if (k->slow) {
		sem_post(&k->entered);
		sem_wait(&k->go);
	}
	for (size_t i = 0; i < count; i++)
		if (k->full && elements[i].bytes[3] == 0)
			return ERR_FULL;
	k->elements += (unsigned)count;
	return OK;
}

static void
await_sem(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += EDGE_PATIENCE / seconds(1);
	CU_ASSERT_EQUAL_FATAL(sem_timedwait(sem, &until), 0);
}

/* --- the pool, with other work ---------------------------------------------------------------- */

struct other {
	struct offload_job job;
	sem_t entered, go;
	bool done;
};

static void
work_other(struct offload_job *j)
{
	struct other *o = (struct other *)j;

	sem_post(&o->entered);
	sem_wait(&o->go);
}

static void
done_other(struct offload_job *j)
{
	((struct other *)j)->done = true;
}

/* A long job goes into the pool. */
static void
occupy(struct other *o)
{
	*o = (struct other){ .job = { .work = work_other, .done = done_other } };
	sem_init(&o->entered, 0, 0);
	sem_init(&o->go, 0, 0);
	CU_ASSERT_EQUAL_FATAL(offload_submit(edge.pool, &o->job), OK);
}

static void
leave(struct other *o)
{
	sem_post(&o->go);
	EDGE_AWAIT(o->done);
	sem_destroy(&o->entered);
	sem_destroy(&o->go);
}

/* --- the sets --------------------------------------------------------------------------------- */

static struct dns_addrsets *sets;
static uint64_t seen_settled;	/* when settled() was called last */

static void
settled(void *ctx)
{
	(void)ctx;
	seen_settled = dns_addrsets_settled(sets);
}

/* A set of that name for video.example, in a pool of one thread where one job may wait. */
static void
begin(const char *name)
{
	static const uint8_t key[SEAL_SHORT_KEY_BYTES] = { 3, 1, 4 };
	struct dns_addrsets_env env = { .service = "dns", .settled = settled };
	struct dns_addrset_set set = { .timeout_min_s = 60, .ttl = true };
	struct dns_name n = dns_test_name("video.example");
	struct dns_list_builder *b;
	struct dns_addrset *as;

	edge_begin(1, 1);
	env.loop = edge.loop;
	env.offload = edge.pool;
	memset(&kernel, 0, sizeof(kernel));
	sem_init(&kernel.entered, 0, 0);
	sem_init(&kernel.go, 0, 0);
	CU_ASSERT_EQUAL_FATAL(dns_list_builder_new(&b, 10), OK);
	CU_ASSERT_EQUAL(dns_list_add(b, (struct dns_list_rule){ .kind = DNS_LIST_BLOCK },
	    dns_name_span(&n)), OK);
	CU_ASSERT_EQUAL_FATAL(dns_list_finish(&set.names, b, key), OK);
	dns_list_builder_free(b);
	CU_ASSERT_EQUAL(addrset_id_parse(&set.id, ADDRSET_IPSET, name), OK);
	CU_ASSERT_EQUAL_FATAL(dns_addrset_new(&as, &set, 1, key), OK);
	CU_ASSERT_EQUAL_FATAL(dns_addrsets_new(&sets, &env), OK);
	dns_addrsets_commit(sets, as);
}

static void
end(void)
{
	dns_addrsets_free(sets);
	edge_end();
	sem_destroy(&kernel.entered);
	sem_destroy(&kernel.go);
}

/* What is said about the sets of the name: "v4". Empty where there is nothing to say. */
static const char *
explained(void)
{
	static char buf[DNS_ADDRSETS_WHY_MAX];
	struct dns_name lower = dns_test_name("video.example");

	return dns_addrsets_explain(sets, dns_name_span(&lower), ADDRSET_IPSET, buf) ? buf : "";
}

/* An answer with the addresses 198.51.100.`from` and so many after it. */
static uint64_t
note(unsigned from, unsigned count)
{
	struct dns_name lower = dns_test_name("video.example");
	uint8_t buf[4096];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	dns_test_header(&wr, DNS_FLAG_QR, 1, (uint16_t)count, 0, 0);
	dns_test_question(&wr, "video.example", DNS_TYPE_A);
	for (unsigned i = from; i < from + count; i++)
		dns_test_a(&wr, "video.example", 300, (uint8_t)i);
	CU_ASSERT_FALSE_FATAL(wr.bad);
	return dns_addrsets_note(sets, dns_name_span(&lower), wire_wr_span(&wr),
	    loop_now(edge.loop));
}

/* A number from the report of the set. */
static json_int_t
told(const char *key)
{
	struct report *r = report_new();
	json_t *all = report_json(r);

	dns_addrsets_report(sets, r);

	json_t *set = json_array_get(json_object_get(all, "sets"), 0);
	json_int_t n = json_integer_value(json_object_get(set, key));

	report_free(r);
	return n;
}

/* --- cases ------------------------------------------------------------------------------------ */

static void
an_answer_is_settled_when_the_kernel_has_its_addresses(void)
{
	begin("v4");
	CU_ASSERT_STRING_EQUAL(explained(), "v4 (not looked up)");
	EDGE_AWAIT(strcmp(explained(), "v4") == 0);
	kernel.slow = true;

	uint64_t ticket = note(0, 3);

	CU_ASSERT_EQUAL(ticket, 3);
	await_sem(&kernel.entered);
	CU_ASSERT_EQUAL(dns_addrsets_settled(sets), 0);
	sem_post(&kernel.go);
	EDGE_AWAIT(seen_settled >= ticket);
	CU_ASSERT_EQUAL(kernel.elements, 3);
	CU_ASSERT_EQUAL(told("added"), 3);
	end();
}

static void
a_set_that_is_not_there_holds_nothing_up(void)
{
	begin("gone");
	EDGE_AWAIT(strcmp(explained(), "gone (not found)") == 0);
	CU_ASSERT_EQUAL(note(0, 3), 0);
	CU_ASSERT_EQUAL(kernel.adds, 0);
	end();
}

static void
with_the_pool_full_an_answer_waits_for_nothing_and_the_next_one_tries_again(void)
{
	struct other busy, waiting;
	unsigned looks;

	begin("v4");
	EDGE_AWAIT(strcmp(explained(), "v4") == 0);
	occupy(&busy);
	await_sem(&busy.entered);
	occupy(&waiting);
	looks = kernel.looks;

	CU_ASSERT_EQUAL(note(0, 3), 3);
	CU_ASSERT_EQUAL(dns_addrsets_settled(sets), 3);
	CU_ASSERT_EQUAL(told("refused"), 3);
	CU_ASSERT_EQUAL(note(0, 3), 6);
	CU_ASSERT_EQUAL(dns_addrsets_settled(sets), 6);
	CU_ASSERT_EQUAL(told("refused"), 6);
	leave(&busy);
	leave(&waiting);
	CU_ASSERT_EQUAL(kernel.adds, 0);

	/* It is looked at the sets soon: the pool may have been full for long. */
	EDGE_AWAIT(kernel.looks > looks);
	CU_ASSERT_EQUAL(note(0, 3), 9);
	EDGE_AWAIT(seen_settled >= 9);
	CU_ASSERT_EQUAL(kernel.elements, 3);
	CU_ASSERT_EQUAL(told("added"), 3);
	end();
}

static void
who_waits_while_the_pool_fills_up_is_let_go(void)
{
	struct other next, last;

	begin("v4");
	EDGE_AWAIT(strcmp(explained(), "v4") == 0);
	kernel.slow = true;
	CU_ASSERT_EQUAL(note(0, 1), 1);
	await_sem(&kernel.entered);
	CU_ASSERT_EQUAL(note(5, 2), 3);
	CU_ASSERT_EQUAL(dns_addrsets_settled(sets), 0);

	/* The thread has other work before the loop hears that it is done with the kernel. */
	occupy(&next);
	sem_post(&kernel.go);
	await_sem(&next.entered);
	occupy(&last);
	EDGE_AWAIT(seen_settled == 3);
	CU_ASSERT_EQUAL(told("added"), 1);
	CU_ASSERT_EQUAL(told("refused"), 2);
	leave(&next);
	leave(&last);
	end();
}

static void
what_a_set_has_no_room_for_takes_nothing_else_down(void)
{
	begin("v4");
	EDGE_AWAIT(strcmp(explained(), "v4") == 0);
	kernel.full = true;
	CU_ASSERT_EQUAL(note(0, 3), 3);
	EDGE_AWAIT(seen_settled >= 3);
	CU_ASSERT_EQUAL(kernel.adds, 1 + 3);
	CU_ASSERT_EQUAL(kernel.elements, 2);
	CU_ASSERT_EQUAL(told("refused"), 1);
	/* That one alone is tried again. */
	CU_ASSERT_EQUAL(note(0, 3), 4);
	EDGE_AWAIT(seen_settled >= 4);
	CU_ASSERT_EQUAL(kernel.elements, 2);
	end();
}

static void
a_set_that_was_made_anew_is_filled_again_by_the_next_batch(void)
{
	begin("v4");
	EDGE_AWAIT(strcmp(explained(), "v4") == 0);
	CU_ASSERT_EQUAL(note(0, 3), 3);
	EDGE_AWAIT(seen_settled >= 3);
	kernel.made = 1;
	CU_ASSERT_EQUAL(note(3, 1), 4);
	EDGE_AWAIT(seen_settled >= 7);
	CU_ASSERT_EQUAL(kernel.elements, 3 + 1 + 3);
	end();
}

UNIT_MAIN("dns_addrsets", UNIT(an_answer_is_settled_when_the_kernel_has_its_addresses),
    UNIT(a_set_that_is_not_there_holds_nothing_up),
    UNIT(with_the_pool_full_an_answer_waits_for_nothing_and_the_next_one_tries_again),
    UNIT(who_waits_while_the_pool_fills_up_is_let_go),
    UNIT(what_a_set_has_no_room_for_takes_nothing_else_down),
    UNIT(a_set_that_was_made_anew_is_filled_again_by_the_next_batch))
