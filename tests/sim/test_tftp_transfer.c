/* SPDX-License-Identifier: MIT */
/* The TFTP engines against each other over a scripted link. No sleeping: the clock is virtual. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/tftp_link.h"
#include "support/unit.h"

#define SEEDS 8

static const unsigned windows[] = { 1, 2, 4, 8, 16, 32, 64 };
static const unsigned losses[] = { 0, 10, 50, 100, 250, 500 };	/* of 1000 */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct link the_link;	/* large; every case starts it afresh */

/* 2 ms round trip, no loss. */
static struct link_setup
plain_lan(unsigned window, uint64_t blocks)
{
	return (struct link_setup){ .seed = 1, .window = window, .blksize = 1468, .blocks = blocks,
		.up = { .delay = millis(1) }, .down = { .delay = millis(1) } };
}

static double
milliseconds_taken(const struct link *ln)
{
	return (double)(ln->complete_at - seconds(1000)) / 1000;
}

static bool
server_is_content(const struct link *ln)
{
	return ln->setup.upload ? ln->receiver.end == TFTP_COMPLETE
				: ln->sender.end == TFTP_COMPLETE;
}

static void
without_loss_each_block_goes_once(void)
{
	for (size_t w = 0; w < COUNT(windows); w++) {
		for (int upload = 0; upload < 2; upload++) {
			struct link_setup s = plain_lan(windows[w], 1000);

			s.upload = upload != 0;
			CU_ASSERT(link_run(&the_link, &s));
			CU_ASSERT(server_is_content(&the_link));
			CU_ASSERT_EQUAL(the_link.data_packets, 1000);
			CU_ASSERT_EQUAL(the_link.sender.counts.timeouts, 0);
			CU_ASSERT_EQUAL(the_link.sender.counts.probes, 0);
		}
	}
}

/* One cell of the table; gives how many of the seeds completed. */
static unsigned
run_seeds(uint64_t seed, unsigned loss, unsigned window, bool upload, double *mean)
{
	unsigned done = 0;

	*mean = 0;
	for (unsigned i = 0; i < SEEDS; i++) {
		struct link_setup s = plain_lan(window, 60);

		s.seed = seed + i;
		s.upload = upload;
		s.up.loss = s.down.loss = loss;
		s.up.doubled = s.down.doubled = loss / 5;
		s.up.spread = s.down.spread = loss != 0 ? 300 : 0;
		if (link_run(&the_link, &s)) {
			done++;
			*mean += milliseconds_taken(&the_link);
		}
		CU_ASSERT_FALSE(the_link.wrong);
		/* Both ends have come to rest, whatever happened. */
		CU_ASSERT_EQUAL(tftp_sender_deadline(&the_link.sender), MONO_NEVER);
	}
	*mean = done != 0 ? *mean / done : 0;
	return done;
}

static void
run_table(const char *what, bool upload)
{
	uint64_t seed = unit_seed(4711);

	printf("%s of 60 blocks, 2 ms round trip: completed of %d, mean ms\n   loss", what, SEEDS);
	for (size_t w = 0; w < COUNT(windows); w++)
		printf("      w=%-4u", windows[w]);
	printf("\n");
	for (size_t l = 0; l < COUNT(losses); l++) {
		printf("%6.1f%%", losses[l] / 10.0);
		for (size_t w = 0; w < COUNT(windows); w++) {
			double mean;
			unsigned done = run_seeds(seed, losses[l], windows[w], upload, &mean);

			printf(" %2u %8.0f", done, mean);
			if (losses[l] <= 250)
				CU_ASSERT_EQUAL(done, SEEDS);
		}
		printf("\n");
	}
}

static void
downloads_complete_up_to_a_quarter_lost(void)
{
	run_table("download", false);
}

static void
uploads_complete_up_to_a_quarter_lost(void)
{
	run_table("upload", true);
}

static void
half_lost_still_completes_mostly(void)
{
	uint64_t seed = unit_seed(99);
	unsigned done = 0, runs = 40;

	for (unsigned i = 0; i < runs; i++) {
		struct link_setup s = plain_lan(windows[i % COUNT(windows)], 6);

		s.seed = seed + i;
		s.up.loss = s.down.loss = 500;
		done += link_run(&the_link, &s);
	}
	printf("6 blocks at 50 %% loss each way: %u of %u\n", done, runs);
	CU_ASSERT(done >= runs * 3 / 4);
}

/* Sorcerer's Apprentice: every packet of the client comes twice. */
static void
doubled_acks_cause_no_needless_data(void)
{
	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 500);

		s.up.doubled = 1000;
		CU_ASSERT(link_run(&the_link, &s));
		CU_ASSERT_EQUAL(the_link.data_packets, 500);
		CU_ASSERT(the_link.sender.counts.duplicates > 0);
	}
}

static void
doubled_data_causes_no_needless_data(void)
{
	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 500);

		s.down.doubled = 1000;
		CU_ASSERT(link_run(&the_link, &s));
		CU_ASSERT_EQUAL(the_link.data_packets, 500);
	}
}

/* The client gets no time for 60 ms; then it finds everything at once. */
static bool
hold_for_60_ms(void *ctx, const struct link_packet *p)
{
	struct link *ln = ctx;
	mono_us from = seconds(1000) + millis(20), to = from + millis(60);

	(void)p;
	ln->setup.down.delay = millis(1);
	if (ln->now >= from && ln->now + millis(1) < to)
		ln->setup.down.delay = to - ln->now;
	return false;
}

/*
 * What went again meanwhile comes as doubles, whose ACKs look like gaps at the start of the next
 * window, which would go twice for it, and so on to the end of the file.
 */
static void
a_client_that_stalls_does_not_make_every_window_go_twice(void)
{
	for (unsigned window = 4; window <= 64; window *= 2) {
		struct link_setup s = plain_lan(window, 5000);

		s.drop = hold_for_60_ms;
		s.ctx = &the_link;
		CU_ASSERT(link_run(&the_link, &s));
		printf("windowsize %2u: resent %" PRIu64 " in %" PRIu64 " rollbacks\n", window,
		    the_link.sender.counts.resent, the_link.sender.counts.rollbacks);
		CU_ASSERT(the_link.sender.counts.resent <= 5 * window);
	}
}

static bool
drop_block_40_once(void *ctx, const struct link_packet *p)
{
	int *dropped = ctx;

	return p->kind == LINK_DATA && p->truth == 40 && (*dropped)++ == 0;
}

/* EDK2 sends ACK(expected - 1) for every block behind the gap. */
static void
many_gap_acks_cause_one_rollback(void)
{
	int dropped = 0;
	struct link_setup s = plain_lan(64, 500);

	s.client.chatty = true;
	s.drop = drop_block_40_once;
	s.ctx = &dropped;
	CU_ASSERT(link_run(&the_link, &s));
	CU_ASSERT_EQUAL(the_link.sender.counts.rollbacks, 1);
	CU_ASSERT(the_link.sender.counts.duplicates >= 20);
	CU_ASSERT_EQUAL(the_link.sender.counts.resent, 25);	/* 40-64: the rest of the window */
}

static void
a_gap_is_followed_by_a_full_new_window(void)
{
	struct tftp_terms terms = { .blksize = 512, .windowsize = 4, .echo_count = 1 };
	struct tftp_timing timing = link_timing();
	struct tftp_sender s;
	struct tftp_want w;

	tftp_sender_init(&s, &terms, &timing, 100, 1, 0);
	w = tftp_sender_want(&s, 0);
	CU_ASSERT(w.oack && w.count == 1);
	tftp_sender_sent(&s, &w, 1, 0);
	tftp_sender_ack(&s, (struct seq16){ 0 }, 1000);
	w = tftp_sender_want(&s, 1000);
	CU_ASSERT(!w.oack && w.first == 1 && w.count == 4);
	tftp_sender_sent(&s, &w, 4, 1000);
	tftp_sender_ack(&s, (struct seq16){ 4 }, 2000);
	w = tftp_sender_want(&s, 2000);
	CU_ASSERT(w.first == 5 && w.count == 4);
	tftp_sender_sent(&s, &w, 4, 2000);
	/* RFC 7440 §4: ACK 5 in the window 5-8 starts the window 6-9. */
	tftp_sender_ack(&s, (struct seq16){ 5 }, 3000);
	CU_ASSERT_EQUAL(tftp_sender_want(&s, 3000).first, 6);
	for (mono_us now = 3000; s.nxt < 10; now += 100) {
		w = tftp_sender_want(&s, now);
		if (w.count != 0)
			tftp_sender_sent(&s, &w, w.count, now);
	}
	CU_ASSERT_EQUAL(tftp_sender_want(&s, 9000).count, 0);
	CU_ASSERT_EQUAL(s.high, 10);
}

static bool
drop_tail_once(void *ctx, const struct link_packet *p)
{
	unsigned *dropped = ctx;

	return p->kind == LINK_DATA && p->truth > 120 && p->truth <= 128 && (*dropped)++ < 8;
}

static void
a_lost_tail_is_probed_within_a_quarter_second(void)
{
	for (unsigned window = 16; window <= 64; window *= 2) {
		unsigned dropped = 0;
		struct link_setup s = plain_lan(window, 500);

		s.drop = drop_tail_once;
		s.ctx = &dropped;
		CU_ASSERT(link_run(&the_link, &s));
		CU_ASSERT(the_link.sender.counts.probes >= 1);
		CU_ASSERT_EQUAL(the_link.sender.counts.timeouts, 0);
		CU_ASSERT(the_link.longest_silence <= millis(50));
	}
}

struct drops {
	const struct drop {
		enum link_kind kind;
		uint64_t block;
		unsigned which;		/* the first one sent is 1 */
	} *list;
	size_t count;
	unsigned seen[8];
};

static bool
drop_listed(void *ctx, const struct link_packet *p)
{
	struct drops *d = ctx;
	uint64_t block = p->kind == LINK_ACK ? p->block.v : p->truth;
	bool lost = false;

	for (size_t i = 0; i < d->count; i++)
		if (p->kind == d->list[i].kind && block == d->list[i].block)
			lost |= ++d->seen[i] == d->list[i].which;
	return lost;
}

static void
run_with_drops(struct link_setup *s, const struct drop *list, size_t count)
{
	struct drops d = { .list = list, .count = count };

	s->drop = drop_listed;
	s->ctx = &d;
	CU_ASSERT(link_run(&the_link, s));
	for (size_t i = 0; i < count; i++)
		CU_ASSERT(d.seen[i] >= list[i].which);
}

static void
a_deaf_client_is_met_before_the_floor(void)
{
	/* It told the gap once; what it asked for was lost again. */
	static const struct drop again[] = { { LINK_DATA, 37, 1 }, { LINK_DATA, 37, 2 } };
	/* What it told was lost. */
	static const struct drop unheard[] = { { LINK_DATA, 37, 1 }, { LINK_ACK, 36, 1 } };

	for (unsigned window = 8; window <= 64; window *= 2) {
		struct link_setup s = plain_lan(window, 500);

		run_with_drops(&s, again, COUNT(again));
		CU_ASSERT(the_link.longest_silence <= millis(25));
		run_with_drops(&s, unheard, COUNT(unheard));
		CU_ASSERT(the_link.longest_silence <= millis(25));
	}
}

/* Its window began at the lost gap ACK and is not full when ours ends: it has nothing to say. */
static void
a_client_that_waits_for_the_next_window_gets_it(void)
{
	static const struct drop drops[] = { { LINK_DATA, 37, 1 }, { LINK_ACK, 36, 1 },
		{ LINK_DATA, 36, 2 } };

	for (unsigned window = 8; window <= 64; window *= 2) {
		struct link_setup s = plain_lan(window, 500);

		run_with_drops(&s, drops, COUNT(drops));
		CU_ASSERT(the_link.longest_silence <= millis(25));
	}
}

static void
a_known_client_gets_a_lost_oack_soon(void)
{
	static const struct drop oack[] = { { LINK_OACK, 0, 1 } };
	static const struct drop answer[] = { { LINK_ACK, 0, 1 } };
	struct link_setup s = plain_lan(16, 100);

	s.rtt_known = millis(2);
	run_with_drops(&s, oack, COUNT(oack));
	CU_ASSERT(the_link.longest_silence <= millis(55));
	run_with_drops(&s, answer, COUNT(answer));
	CU_ASSERT(the_link.longest_silence <= millis(55));
}

/* atftp takes it for an error. */
static void
a_known_client_that_is_busy_gets_no_second_oack(void)
{
	struct tftp_terms terms = { .blksize = 512, .windowsize = 16, .echo_count = 1 };
	struct tftp_timing timing = link_timing();
	struct tftp_sender s;
	struct tftp_want w;

	timing.rtt_known = 100;
	tftp_sender_init(&s, &terms, &timing, 100, 1, 0);
	w = tftp_sender_want(&s, 0);
	tftp_sender_sent(&s, &w, 1, 0);
	tftp_sender_wake(&s, millis(45));
	CU_ASSERT_EQUAL(tftp_sender_want(&s, millis(45)).count, 0);
	tftp_sender_wake(&s, millis(50));
	CU_ASSERT(tftp_sender_want(&s, millis(50)).oack);
}

static void
a_lost_block_in_lock_step_goes_again_within_a_quarter_second(void)
{
	int dropped = 0;
	struct link_setup s = plain_lan(1, 100);

	s.drop = drop_block_40_once;
	s.ctx = &dropped;
	CU_ASSERT(link_run(&the_link, &s));
	CU_ASSERT_EQUAL(the_link.sender.counts.timeouts, 1);
	/* a Raspberry Pi 4 must not see doubles; but the floor is all that is waited for */
	CU_ASSERT_EQUAL(the_link.longest_silence, millis(200));
}

/* The network card of U-Boot's e1000 driver: one buffer, half a millisecond for a block. */
static void
a_card_with_one_buffer_is_never_slower_than_lock_step(void)
{
	double lock_step = 0;

	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 2100);	/* 3 MB */

		s.up.delay = s.down.delay = 100;
		s.client = (struct link_client){ .slots = 1, .service = 500 };
		CU_ASSERT(link_run(&the_link, &s));
		if (windows[w] == 1)
			lock_step = milliseconds_taken(&the_link);
		printf("one receive buffer, windowsize %2u: %5.0f ms, gap %d us, resent %" PRIu64
		       ", probes %" PRIu64 ", timeouts %" PRIu64 "\n", windows[w],
		    milliseconds_taken(&the_link), (int)the_link.sender.pace.gap,
		    the_link.sender.counts.resent, the_link.sender.counts.probes,
		    the_link.sender.counts.timeouts);
		CU_ASSERT(milliseconds_taken(&the_link) <= lock_step * 1.02);
	}
}

static void
a_card_with_four_buffers_is_never_slower_than_lock_step(void)
{
	double lock_step = 0;

	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 2100);

		s.up.delay = s.down.delay = 100;
		s.client = (struct link_client){ .slots = 4, .service = 500, .chatty = true };
		CU_ASSERT(link_run(&the_link, &s));
		if (windows[w] == 1)
			lock_step = milliseconds_taken(&the_link);
		printf("four receive buffers, windowsize %2u: %5.0f ms, gap %d us, resent %" PRIu64
		       "\n", windows[w], milliseconds_taken(&the_link),
		    (int)the_link.sender.pace.gap, the_link.sender.counts.resent);
		CU_ASSERT(milliseconds_taken(&the_link) <= lock_step * 1.02);
	}
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * 512 KiB, 1 % lost each way, to a client that was served before. A run whose request is lost waits
 * for the client's second one, which no server can help.
 */
static void
a_lossy_lan_takes_no_longer_than_promised(void)
{
	static const struct { unsigned window; double median, most; unsigned above; } limits[] = {
		{ 1, 2200, 2300, 1000 }, { 16, 60, 250, 1 }, { 64, 25, 100, 2 } };
	enum { RUNS = 5000 };
	static double ms[RUNS];
	uint64_t seed = unit_seed(1);

	for (size_t i = 0; i < COUNT(limits); i++) {
		unsigned runs = 0, above = 0;

		for (uint64_t run = 0; run < RUNS; run++) {
			struct link_setup s = plain_lan(limits[i].window, 358);

			s.seed = seed + 7919 * run;
			s.up.loss = s.down.loss = 10;
			s.rtt_known = millis(2);
			CU_ASSERT(link_run(&the_link, &s));
			if (the_link.requests > 1)
				continue;
			ms[runs++] = milliseconds_taken(&the_link);
			above += ms[runs - 1] > limits[i].most;
		}
		qsort(ms, runs, sizeof(ms[0]), compare_doubles);
		printf("512 KiB, 1 %% loss, windowsize %2u: median %.0f ms, 99 %% %.0f ms, worst "
		       "%.0f ms, %u of %u above %.0f ms\n", limits[i].window, ms[runs / 2],
		    ms[runs * 99 / 100], ms[runs - 1], above, runs, limits[i].most);
		CU_ASSERT(ms[runs / 2] <= limits[i].median);
		/* of 1000; lock-step has as many silences as lost packets, and their number varies */
		CU_ASSERT(above * 1000 <= limits[i].above * runs);
	}
}

static void
block_numbers_roll_over_to_0_and_to_1(void)
{
	for (int roll = 0; roll < 2; roll++) {
		for (size_t w = 0; w < COUNT(windows); w += 3) {
			for (int upload = 0; upload < 2; upload++) {
				struct link_setup s = plain_lan(windows[w], 140000);

				s.roll = roll != 0 ? TFTP_ROLL_TO_1 : TFTP_ROLL_TO_0;
				s.upload = upload != 0;
				s.up.loss = s.down.loss = 1;
				s.up.delay = s.down.delay = 50;
				CU_ASSERT(link_run(&the_link, &s));
			}
		}
	}
}

static bool
drop_all_acks(void *ctx, const struct link_packet *p)
{
	(void)ctx;
	return p->kind == LINK_ACK;
}

static void
a_peer_that_never_answers_gets_four_packets(void)
{
	for (size_t w = 0; w < COUNT(windows); w++) {
		for (int plain = 0; plain < 2; plain++) {
			struct link_setup s = plain_lan(plain != 0 ? 1 : windows[w], 500);

			s.plain = plain != 0;
			s.drop = drop_all_acks;
			s.time_max = seconds(8);
			CU_ASSERT_FALSE(link_run(&the_link, &s));
			CU_ASSERT_EQUAL(the_link.sender.counts.packets, TFTP_UNPROVEN_SENDS);
			/* block 1 at most, never a window */
			CU_ASSERT(the_link.sender.high <= 2);
		}
	}
}

static bool
drop_last_ack(void *ctx, const struct link_packet *p)
{
	const struct link *ln = ctx;

	return p->kind == LINK_ACK && ln->complete;
}

static void
a_missing_last_ack_is_no_failure(void)
{
	struct link_setup s = plain_lan(8, 20);

	s.drop = drop_last_ack;
	s.ctx = &the_link;
	CU_ASSERT(link_run(&the_link, &s));
	CU_ASSERT_EQUAL(the_link.sender.end, TFTP_UNCONFIRMED);
}

static void
an_upload_lingers_for_a_client_that_missed_the_last_ack(void)
{
	struct link_setup s = plain_lan(1, 20);
	unsigned runs = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		s.seed = seed;
		s.upload = true;
		s.down.loss = 300;
		if (link_run(&the_link, &s) && the_link.sender.end == TFTP_COMPLETE)
			runs++;
	}
	CU_ASSERT(runs >= 36);
}

static bool
drop_between(void *ctx, const struct link_packet *p)
{
	const struct link *ln = ctx;
	mono_us since = ln->now - seconds(1000);

	(void)p;
	return since > millis(100) && since < seconds(40);
}

static void
forty_seconds_of_silence_are_survived(void)
{
	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 5000);

		s.drop = drop_between;
		s.ctx = &the_link;
		CU_ASSERT(link_run(&the_link, &s));
	}
}

static void
reordering_alone_loses_nothing(void)
{
	uint64_t seed = unit_seed(5);

	for (size_t w = 0; w < COUNT(windows); w++) {
		struct link_setup s = plain_lan(windows[w], 400);

		s.seed = seed + w;
		s.up.spread = s.down.spread = millis(1);
		CU_ASSERT(link_run(&the_link, &s));
	}
}

UNIT_MAIN("tftp_transfer", UNIT(without_loss_each_block_goes_once),
    UNIT(downloads_complete_up_to_a_quarter_lost), UNIT(uploads_complete_up_to_a_quarter_lost),
    UNIT(half_lost_still_completes_mostly), UNIT(doubled_acks_cause_no_needless_data),
    UNIT(doubled_data_causes_no_needless_data),
    UNIT(a_client_that_stalls_does_not_make_every_window_go_twice),
    UNIT(many_gap_acks_cause_one_rollback),
    UNIT(a_gap_is_followed_by_a_full_new_window),
    UNIT(a_lost_tail_is_probed_within_a_quarter_second),
    UNIT(a_deaf_client_is_met_before_the_floor),
    UNIT(a_client_that_waits_for_the_next_window_gets_it),
    UNIT(a_known_client_gets_a_lost_oack_soon),
    UNIT(a_known_client_that_is_busy_gets_no_second_oack),
    UNIT(a_lost_block_in_lock_step_goes_again_within_a_quarter_second),
    UNIT(a_card_with_one_buffer_is_never_slower_than_lock_step),
    UNIT(a_card_with_four_buffers_is_never_slower_than_lock_step),
    UNIT(a_lossy_lan_takes_no_longer_than_promised),
    UNIT(block_numbers_roll_over_to_0_and_to_1),
    UNIT(a_peer_that_never_answers_gets_four_packets), UNIT(a_missing_last_ack_is_no_failure),
    UNIT(an_upload_lingers_for_a_client_that_missed_the_last_ack),
    UNIT(forty_seconds_of_silence_are_survived), UNIT(reordering_alone_loses_nothing))
