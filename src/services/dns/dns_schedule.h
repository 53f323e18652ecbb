/* SPDX-License-Identifier: MIT */
/*
 * Times of the week: "mon-fri 21:00-06:00". On the clock of the wall, which the caller reads: what
 * holds at 21:00 holds at 21:00 in summer, too.
 */
#ifndef SERVICES_DNS_SCHEDULE_H
#define SERVICES_DNS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

#define DNS_DAY_MINUTES (24 * 60)

/* A time of the week. */
struct dns_moment {
	unsigned day;		/* 0: Monday, 6: Sunday */
	unsigned minute;	/* of the day, below DNS_DAY_MINUTES */
};

/* The same minutes of some days. */
struct dns_schedule {
	uint8_t days;		/* bit i: it begins on day i */
	uint16_t from, to;	/* minutes of the day; to <= from: until the day after */
};

/*
 * Read "DAYS FROM-TO". DAYS are mon to sun, ranges of them (sat-mon goes around) and lists with
 * commas; without them: every day. Without times: the whole day. Where TO is not after FROM it is
 * on the next day, so that "fri 21:00-06:00" ends on Saturday morning.
 *
 * errors  ERR_FORMAT
 */
enum err dns_schedule_parse(struct dns_schedule *out, const char *text) MUST_CHECK;

/* For the table of settings: what is wrong with a text, or NULL. */
const char *dns_schedule_check(const char *text);

bool dns_schedule_holds(const struct dns_schedule *s, struct dns_moment at);

#endif
