/* SPDX-License-Identifier: MIT */
/*
 * Strict both ways: the answer holds only what was asked for, in the client's spelling (GRUB
 * compares names case-sensitively), a timeout is echoed unchanged (U-Boot and EDK2 abort
 * otherwise), and blksize and windowsize only ever get smaller.
 */
#include "services/tftp/tftp_terms.h"

#include <inttypes.h>
#include <stdio.h>

struct known {
	const char *name;
	uint64_t min, max;
};

static const struct known known[TFTP_OPT_KINDS] = {
	[TFTP_OPT_BLKSIZE] = { "blksize", TFTP_BLKSIZE_MIN, TFTP_BLKSIZE_MAX },
	[TFTP_OPT_WINDOWSIZE] = { "windowsize", 1, 65535 },
	[TFTP_OPT_TIMEOUT] = { "timeout", 1, 255 },
	[TFTP_OPT_UTIMEOUT] = { "utimeout", 10000, 255000000 },	/* as tftp-hpa bounds it */
	[TFTP_OPT_TSIZE] = { "tsize", 0, INT64_MAX },
	[TFTP_OPT_ROLLOVER] = { "rollover", 0, 1 },
};

/* Plain digits only: tftp-hpa passes over "1000abc", and so do we. Too large is UINT64_MAX. */
static bool
parse_number(struct span text, uint64_t *out)
{
	uint64_t v = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.at[i] - '0';

		if (digit > 9)
			return false;
		if (v > (UINT64_MAX - digit) / 10)
			v = UINT64_MAX;
		else if (v != UINT64_MAX)
			v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static int
kind_of(struct span name)
{
	for (int k = 0; k < TFTP_OPT_KINDS; k++)
		if (span_equal_nocase(name, span_str(known[k].name)))
			return k;
	return -1;
}

static struct tftp_echo *
find_echo(struct tftp_terms *t, enum tftp_option_kind kind)
{
	for (size_t i = 0; i < t->echo_count; i++)
		if (t->echo[i].kind == kind)
			return &t->echo[i];
	return NULL;
}

static enum err
take_option(struct tftp_terms *t, const struct tftp_option *opt)
{
	int kind = kind_of(opt->name);
	uint64_t value;

	if (kind < 0 || !parse_number(opt->value, &value) ||
	    find_echo(t, (enum tftp_option_kind)kind) != NULL)
		return OK;
	if (value < known[kind].min || value > known[kind].max)
		return ERR_RANGE;

	struct tftp_echo *e = &t->echo[t->echo_count++];

	e->kind = (uint8_t)kind;
	e->name_len = (uint8_t)opt->name.len;
	memcpy(e->name, opt->name.at, opt->name.len);
	e->value = value;
	return OK;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Take in what was asked for and cut it down to what the server is willing to do. */
static void
settle(struct tftp_terms *t, const struct tftp_limits *limits)
{
	struct tftp_echo *e = find_echo(t, TFTP_OPT_BLKSIZE);

	if (e != NULL) {
		e->value = smaller(e->value, limits->blksize_max);
		t->blksize = (unsigned)e->value;
	}
	if ((e = find_echo(t, TFTP_OPT_WINDOWSIZE)) != NULL) {
		uint64_t fit = limits->window_bytes_max / t->blksize;

		e->value = smaller(e->value, smaller(limits->windowsize_max, fit != 0 ? fit : 1));
		t->windowsize = (unsigned)e->value;
	}
	if ((e = find_echo(t, TFTP_OPT_UTIMEOUT)) != NULL)
		t->timeout = micros((int64_t)e->value);
	if ((e = find_echo(t, TFTP_OPT_TIMEOUT)) != NULL)
		t->timeout = seconds((int64_t)e->value);
	if ((e = find_echo(t, TFTP_OPT_ROLLOVER)) != NULL)
		t->rollover = e->value != 0 ? TFTP_ROLL_TO_1 : TFTP_ROLL_TO_0;
	if ((e = find_echo(t, TFTP_OPT_TSIZE)) != NULL) {
		t->tsize_known = true;
		t->tsize = e->value;
	}
}

enum err
tftp_terms_agree(struct tftp_terms *out, const struct tftp_msg *request,
    const struct tftp_limits *limits)
{
	*out = (struct tftp_terms){ .blksize = TFTP_BLKSIZE_DEFAULT, .windowsize = 1 };
	if (limits->no_options)
		return OK;
	for (size_t i = 0; i < request->option_count; i++) {
		enum err e = take_option(out, &request->options[i]);

		if (e != OK)
			return e;
	}
	settle(out, limits);
	return OK;
}

void
tftp_terms_set_size(struct tftp_terms *terms, bool known_size, uint64_t size)
{
	struct tftp_echo *e = find_echo(terms, TFTP_OPT_TSIZE);

	terms->tsize_known = known_size;
	terms->tsize = size;
	if (e == NULL)
		return;
	e->value = size;
	if (known_size && size != 0)
		return;

	size_t behind = (size_t)(&terms->echo[terms->echo_count] - (e + 1));

	memmove(e, e + 1, behind * sizeof(*e));
	terms->echo_count--;
}

enum err
tftp_terms_oack(const struct tftp_terms *terms, struct wire_wr *wr)
{
	wire_wr_u16(wr, TFTP_OACK);
	for (size_t i = 0; i < terms->echo_count; i++) {
		const struct tftp_echo *e = &terms->echo[i];
		char number[21];
		int len = snprintf(number, sizeof(number), "%" PRIu64, e->value);

		wire_wr_cstr(wr, span_of(e->name, e->name_len));
		wire_wr_cstr(wr, span_of(number, (size_t)len));
	}
	return wire_wr_finish(wr);
}
