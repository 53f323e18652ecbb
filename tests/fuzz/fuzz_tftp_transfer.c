/* SPDX-License-Identifier: MIT */
/*
 * The two engines of a transfer against a peer that does what it likes: a script of packets, of
 * time that passes, and of sends that succeed in part. The first four bytes choose the terms; each
 * step of the input is what happens, and two bytes of how.
 */
#include "fuzz.h"

#include "services/tftp/tftp_receiver.h"
#include "services/tftp/tftp_sender.h"
#include "util/wire.h"

#define STEPS_MAX 2000

static struct tftp_timing
timing(void)
{
	return (struct tftp_timing){ .rto_initial = seconds(1), .rto_min = millis(200),
		.rto_max = seconds(5), .probe_min = millis(20), .patience = seconds(60),
		.idle_max = seconds(120), .dally = seconds(3), .tries = 6,
		.unproven_sends = TFTP_UNPROVEN_SENDS };
}

static struct tftp_terms
terms_of(struct wire_rd *rd)
{
	struct tftp_terms t = { .blksize = TFTP_BLKSIZE_MIN };
	uint8_t options = wire_rd_u8(rd);

	t.windowsize = wire_rd_u8(rd) % TFTP_WINDOW_MAX + 1;
	t.echo_count = options & 1;
	t.rollover = (options & 2) != 0 ? TFTP_ROLL_TO_1 : TFTP_ROLL_TO_0;
	t.timeout = (options & 4) != 0 ? seconds(3) : 0;
	return t;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void
sender_holds(const struct tftp_sender *s)
{
	FUZZ_CHECK(s->una <= s->nxt && s->nxt <= s->high);
	FUZZ_CHECK(s->high - s->una <= 2 * s->window);
	FUZZ_CHECK(s->last == TFTP_BLOCK_NONE || s->high <= s->last + 1);
	FUZZ_CHECK(s->proven || s->unproven_sends <= TFTP_UNPROVEN_SENDS);
	FUZZ_CHECK((tftp_sender_deadline(s) == MONO_NEVER) == (s->state == TFTP_SENDER_OVER));
}

/* Send what is wanted, or the first `part` packets of it. */
static void
send_wanted(struct tftp_sender *s, unsigned part, mono_us now)
{
	for (unsigned turns = 0;; turns++) {
		struct tftp_want want = tftp_sender_want(s, now);

		if (want.count == 0)
			break;
		FUZZ_CHECK(turns < 4 * TFTP_WINDOW_MAX && want.count <= s->window);
		FUZZ_CHECK(want.oack || s->last == TFTP_BLOCK_NONE ||
			   want.first + want.count <= s->last + 1);
		tftp_sender_sent(s, &want, want.count < part ? want.count : part, now);
		if (want.count > part)
			return;
	}
	/* All has been sent: the next thing to do lies ahead. */
	FUZZ_CHECK(s->state == TFTP_SENDER_OVER || tftp_sender_deadline(s) > now);
}

static void
sender_step(struct tftp_sender *s, struct wire_rd *rd, mono_us *now)
{
	uint8_t kind = wire_rd_u8(rd);
	uint16_t how = wire_rd_u16(rd);

	switch (kind % 6) {
	case 0:
		tftp_sender_ack(s, (struct seq16){ how }, *now);
		break;
	case 1:
		tftp_sender_ack(s, tftp_block_wire(s->una + how % 130 - 1, s->roll), *now);
		break;
	case 2:
		tftp_sender_repeat(s, *now);
		break;
	case 3:
		*now += (mono_us)how * 1000;
		tftp_sender_wake(s, *now);
		break;
	case 4:
		if (tftp_sender_deadline(s) != MONO_NEVER && tftp_sender_deadline(s) > *now)
			*now = tftp_sender_deadline(s);
		tftp_sender_wake(s, *now);
		break;
	default:
		send_wanted(s, how % TFTP_WINDOW_MAX + 1, *now);
		return;
	}
	send_wanted(s, TFTP_WINDOW_MAX, *now);
}

static void
sending(struct wire_rd rd)
{
	struct tftp_terms t = terms_of(&rd);
	uint64_t last = wire_rd_u16(&rd) * UINT64_C(17);	/* several turns of the numbers */
	struct tftp_timing times = timing();
	mono_us now = seconds(1000);
	struct tftp_sender s;

	if (t.echo_count == 0)
		t.windowsize = 1;
	tftp_sender_init(&s, &t, &times, last != 0 ? last : TFTP_BLOCK_NONE, 7, now);
	send_wanted(&s, TFTP_WINDOW_MAX, now);
	for (unsigned i = 0; i < STEPS_MAX && wire_rd_left(&rd) != 0; i++) {
		sender_step(&s, &rd, &now);
		sender_holds(&s);
	}
}

/* --- receiving -------------------------------------------------------------------------------- */

static void
answer(struct tftp_receiver *r, mono_us now)
{
	struct seq16 block;
	bool oack;

	for (unsigned turns = 0; tftp_receiver_want(r, &oack, &block); turns++) {
		FUZZ_CHECK(turns < 4);
		tftp_receiver_sent(r, now);
	}
	FUZZ_CHECK(r->proven || r->unproven_sends <= TFTP_UNPROVEN_SENDS);
	FUZZ_CHECK(r->state == TFTP_RECEIVER_OVER || r->held || tftp_receiver_deadline(r) > now);
}

static void
take(struct tftp_receiver *r, struct seq16 block, size_t len, mono_us now)
{
	uint64_t next = r->next;
	bool waits = r->state == TFTP_RECEIVER_DATA;
	enum tftp_verdict v = tftp_receiver_data(r, block, len, now);

	if (v == TFTP_TAKE || v == TFTP_TAKE_LAST) {
		FUZZ_CHECK(waits && r->next == next + 1);
		FUZZ_CHECK(block.v == tftp_block_wire(next, r->roll).v);
		FUZZ_CHECK((v == TFTP_TAKE_LAST) == (len < r->blksize));
	} else {
		FUZZ_CHECK(r->next == next);
	}
}

static void
receiver_step(struct tftp_receiver *r, struct wire_rd *rd, mono_us *now)
{
	uint8_t kind = wire_rd_u8(rd);
	uint16_t how = wire_rd_u16(rd);

	switch (kind % 7) {
	case 0:
		take(r, (struct seq16){ how }, r->blksize, *now);
		break;
	case 1:
		take(r, tftp_block_wire(r->next + how % 130, r->roll), r->blksize, *now);
		break;
	case 2:
		take(r, tftp_block_wire(r->next, r->roll), how % (r->blksize + 2), *now);
		break;
	case 3:
		tftp_receiver_repeat(r, *now);
		break;
	case 4:
		tftp_receiver_hold(r, how % 2 != 0);
		break;
	case 5:
		if (r->state == TFTP_RECEIVER_COMMIT)
			tftp_receiver_stored(r, *now);
		break;
	default:
		*now += (mono_us)how * 1000;
		tftp_receiver_wake(r, *now);
		break;
	}
	answer(r, *now);
}

static void
receiving(struct wire_rd rd)
{
	struct tftp_terms t = terms_of(&rd);
	struct tftp_timing times = timing();
	mono_us now = seconds(1000);
	struct tftp_receiver r;

	tftp_receiver_init(&r, &t, &times, 7, now);
	if (wire_rd_u16(&rd) % 2 != 0)
		tftp_receiver_begin_client(&r, t.echo_count != 0);
	answer(&r, now);
	for (unsigned i = 0; i < STEPS_MAX && wire_rd_left(&rd) != 0; i++)
		receiver_step(&r, &rd, &now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sending(wire_rd_of(span_of(data, size)));
	receiving(wire_rd_of(span_of(data, size)));
	return 0;
}
