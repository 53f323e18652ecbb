/* SPDX-License-Identifier: MIT */
#include "sim/tftp_link.h"

#include <assert.h>
#include <string.h>

#include "support/unit.h"

#define REQUESTS_MAX 12

struct tftp_timing
link_timing(void)
{
	return (struct tftp_timing){ .rto_initial = seconds(1), .rto_min = millis(200),
	    .rto_max = seconds(5), .probe_min = millis(20), .patience = seconds(60),
	    .idle_max = seconds(120), .dally = seconds(3), .tries = 6,
	    .unproven_sends = TFTP_UNPROVEN_SENDS };
}

/* As the server begins with a client whose round trip it knows. */
static struct tftp_timing
link_timing_known(usec rtt)
{
	struct tftp_timing t = link_timing();

	t.rtt_known = rtt;
	if (rtt != 0 && 4 * rtt < t.rto_initial)
		t.rto_initial = 4 * rtt > t.rto_min ? 4 * rtt : t.rto_min;
	return t;
}

/* A client as they are: whole seconds, no early ACKs. */
static struct tftp_timing
client_timing(void)
{
	struct tftp_timing t = link_timing();

	t.rto_min = seconds(1);
	t.probe_min = seconds(60);
	return t;
}

static bool
chance(struct link *ln, unsigned of_1000)
{
	return of_1000 != 0 && unit_random(&ln->rng) % 1000 < of_1000;
}

static void
put(struct link *ln, const struct link_packet *p, const struct link_way *way)
{
	if (chance(ln, way->loss) || (ln->setup.drop != NULL && ln->setup.drop(ln->setup.ctx, p)))
		return;
	for (size_t i = 0; i < LINK_FLIGHT_MAX; i++) {
		struct link_packet *slot = &ln->flight[i];

		if (slot->used)
			continue;
		if (i >= ln->flight_top)
			ln->flight_top = i + 1;
		*slot = *p;
		slot->used = true;
		slot->order = ln->order++;
		slot->at = ln->now + way->delay;
		if (way->spread != 0)
			slot->at += (usec)(unit_random(&ln->rng) % (uint64_t)way->spread);
		return;
	}
	assert(false && "more packets under way than any window allows");
}

static void
send_packet(struct link *ln, struct link_packet p)
{
	const struct link_way *way = p.to_server ? &ln->setup.up : &ln->setup.down;

	if (p.kind == LINK_DATA)
		ln->data_packets++;
	if (!p.to_server) {
		if (ln->now - ln->server_spoke > ln->longest_silence)
			ln->longest_silence = ln->now - ln->server_spoke;
		ln->server_spoke = ln->now;
	}
	put(ln, &p, way);
	if (chance(ln, way->doubled))
		put(ln, &p, way);
}

static uint64_t
length_of(const struct link *ln, uint64_t block)
{
	return block == ln->setup.blocks ? 1 : ln->setup.blksize;
}

static void
flush_sender(struct link *ln, bool to_server)
{
	for (;;) {
		struct tftp_want w = tftp_sender_want(&ln->sender, ln->now);

		if (w.count == 0)
			return;
		for (unsigned i = 0; i < w.count; i++) {
			uint64_t block = w.first + i;
			struct link_packet p = { .to_server = to_server, .kind = LINK_DATA,
				.block = tftp_block_wire(block, ln->setup.roll), .truth = block,
				.len = length_of(ln, block) };

			if (w.oack)
				p = (struct link_packet){.to_server = to_server, .kind = LINK_OACK};
			send_packet(ln, p);
		}
		tftp_sender_sent(&ln->sender, &w, w.count, ln->now);
	}
}

static void
flush_receiver(struct link *ln, bool to_server)
{
	bool oack;
	struct seq16 block;

	while (tftp_receiver_want(&ln->receiver, &oack, &block)) {
		send_packet(ln, (struct link_packet){ .to_server = to_server, .block = block,
		    .kind = oack ? LINK_OACK : LINK_ACK });
		tftp_receiver_sent(&ln->receiver, ln->now);
	}
}

static void
flush(struct link *ln)
{
	bool client_sends = ln->setup.upload;

	if (client_sends ? ln->client_up : ln->server_up)
		flush_sender(ln, client_sends);
	if (client_sends ? ln->server_up : ln->client_up)
		flush_receiver(ln, !client_sends);
}

static struct tftp_terms
terms_of(const struct link_setup *s)
{
	struct tftp_terms t = { .blksize = s->blksize, .windowsize = s->window,
		.rollover = s->roll };

	if (!s->plain)
		t.echo[t.echo_count++] = (struct tftp_echo){ .kind = TFTP_OPT_BLKSIZE,
			.name = "blksize", .name_len = 7, .value = s->blksize };
	return t;
}

static void
got_request(struct link *ln)
{
	struct tftp_terms terms = terms_of(&ln->setup);
	struct tftp_timing timing = link_timing_known(ln->setup.rtt_known);
	bool over = ln->setup.upload ? ln->receiver.state == TFTP_RECEIVER_OVER
				     : ln->sender.state == TFTP_SENDER_OVER;

	if (ln->server_up && !over) {
		if (ln->setup.upload)
			tftp_receiver_repeat(&ln->receiver, ln->now);
		else
			tftp_sender_repeat(&ln->sender, ln->now);
		return;
	}
	ln->server_up = true;
	if (ln->setup.upload)
		tftp_receiver_init(&ln->receiver, &terms, &timing, unit_random(&ln->rng), ln->now);
	else
		tftp_sender_init(&ln->sender, &terms, &timing, ln->setup.blocks,
		    unit_random(&ln->rng), ln->now);
}

static void
client_starts(struct link *ln, const struct link_packet *p)
{
	struct tftp_terms terms = terms_of(&ln->setup);
	struct tftp_timing timing = client_timing();

	ln->client_up = true;
	ln->request_at = MONO_NEVER;
	if (ln->setup.upload) {
		terms.echo_count = 0;
		tftp_sender_init(&ln->sender, &terms, &timing, ln->setup.blocks,
		    unit_random(&ln->rng), ln->now);
		tftp_sender_prove(&ln->sender);
		return;
	}
	tftp_receiver_init(&ln->receiver, &terms, &timing, unit_random(&ln->rng), ln->now);
	tftp_receiver_begin_client(&ln->receiver, p->kind == LINK_OACK);
}

static void
stored(struct link *ln, const struct link_packet *p, bool last)
{
	if (p->truth != ++ln->stored)
		ln->wrong = true;
	if (!last)
		return;
	ln->complete = ln->stored == ln->setup.blocks;
	ln->complete_at = ln->now;
	tftp_receiver_stored(&ln->receiver, ln->now);
}

static void
got_data(struct link *ln, const struct link_packet *p)
{
	struct tftp_receiver *r = &ln->receiver;
	uint64_t waited = r->next;

	switch (tftp_receiver_data(r, p->block, p->len, ln->now)) {
	case TFTP_TAKE:
		stored(ln, p, false);
		break;
	case TFTP_TAKE_LAST:
		stored(ln, p, true);
		break;
	case TFTP_PASS:
		if (ln->setup.client.chatty && !ln->setup.upload && p->truth > waited)
			r->answer_due = true;
		break;
	case TFTP_TOO_LONG:
		ln->wrong = true;
		break;
	}
}

/* A card with few buffers: each is taken until the client is done with its block. */
static bool
card_takes(struct link *ln)
{
	const struct link_client *c = &ln->setup.client;

	for (unsigned i = 0; i < c->slots; i++) {
		if (ln->free_at[i] > ln->now)
			continue;

		mono_us start = ln->client_free > ln->now ? ln->client_free : ln->now;

		ln->client_free = start + c->service;
		ln->free_at[i] = ln->client_free;
		return true;
	}
	ln->client_dropped++;
	return false;
}

static void
arrive_at_client(struct link *ln, const struct link_packet *p)
{
	if (!ln->client_up) {
		client_starts(ln, p);
		if (ln->setup.upload)
			return;
	}
	if (p->kind == LINK_DATA)
		got_data(ln, p);
	else if (p->kind == LINK_ACK)
		tftp_sender_ack(&ln->sender, p->block, ln->now);
	else if (p->kind == LINK_OACK && !ln->setup.upload && ln->stored == 0)
		ln->receiver.answer_due = true;
}

static void
arrive_at_server(struct link *ln, const struct link_packet *p)
{
	if (p->kind == LINK_REQUEST)
		got_request(ln);
	else if (p->kind == LINK_DATA)
		got_data(ln, p);
	else if (p->kind == LINK_ACK)
		tftp_sender_ack(&ln->sender, p->block, ln->now);
}

/* A block that the slow client has in its slot is worked on when the service time is over. */
static void
arrive(struct link *ln, struct link_packet *slot)
{
	struct link_packet p = *slot;

	slot->used = false;
	if (p.to_server) {
		arrive_at_server(ln, &p);
		return;
	}
	if (ln->setup.client.slots != 0 && !p.in_card) {
		if (card_takes(ln)) {
			p.at = ln->client_free;
			p.in_card = true;
			*slot = p;
		}
		return;
	}
	arrive_at_client(ln, &p);
}

static struct link_packet *
first_packet(struct link *ln)
{
	struct link_packet *best = NULL;

	for (size_t i = 0; i < ln->flight_top; i++) {
		struct link_packet *p = &ln->flight[i];

		if (p->used && (best == NULL || p->at < best->at ||
		    (p->at == best->at && p->order < best->order)))
			best = p;
	}
	return best;
}

static mono_us
next_deadline(const struct link *ln)
{
	mono_us at = ln->request_at;

	if (ln->setup.upload ? ln->client_up : ln->server_up)
		at = mono_earlier(at, tftp_sender_deadline(&ln->sender));
	if (ln->setup.upload ? ln->server_up : ln->client_up)
		at = mono_earlier(at, tftp_receiver_deadline(&ln->receiver));
	return at;
}

static void
fire(struct link *ln)
{
	if (ln->now >= ln->request_at && ln->requests < REQUESTS_MAX) {
		ln->requests++;
		ln->request_at = ln->requests < REQUESTS_MAX ? ln->now + seconds(1) : MONO_NEVER;
		send_packet(ln, (struct link_packet){ .to_server = true, .kind = LINK_REQUEST });
	}
	if (ln->setup.upload ? ln->client_up : ln->server_up)
		tftp_sender_wake(&ln->sender, ln->now);
	if (ln->setup.upload ? ln->server_up : ln->client_up)
		tftp_receiver_wake(&ln->receiver, ln->now);
}

bool
link_run(struct link *ln, const struct link_setup *setup)
{
	memset(ln, 0, sizeof(*ln));
	ln->setup = *setup;
	ln->rng = setup->seed;
	ln->now = seconds(1000);
	ln->request_at = ln->now;
	ln->server_spoke = ln->now;

	mono_us stop = ln->now + (setup->time_max != 0 ? setup->time_max : seconds(1200));

	for (;;) {
		struct link_packet *p = first_packet(ln);
		mono_us at = next_deadline(ln);

		if (p != NULL && p->at <= at)
			at = p->at;
		else
			p = NULL;
		if (at == MONO_NEVER || at > stop)
			break;
		if (at > ln->now)
			ln->now = at;
		if (p != NULL)
			arrive(ln, p);
		else
			fire(ln);
		flush(ln);
	}
	return ln->complete && !ln->wrong;
}
