/* SPDX-License-Identifier: MIT */
/* Times of the week. */
#include "services/dns/dns_schedule.h"

#include <string.h>

#include "util/text.h"

#define DAYS	 7
#define ALL_DAYS 0x7f

/* Give the day's number; -1 where it is none. */
static int
day_of(struct span text)
{
	static const char names[DAYS][4] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < DAYS; i++)
		if (span_equal_nocase(text, span_str(names[i])))
			return i;
	return -1;
}

/* Read "mon" or "mon-fri" and add the days to *days. */
static bool
read_range(struct span text, uint8_t *days)
{
	bool range = text.len != 0 && memchr(text.at, '-', text.len) != NULL;
	int from = day_of(text_next_field(&text, '-'));
	int to = range ? day_of(text) : from;

	if (from < 0 || to < 0)
		return false;
	for (int day = from;; day = (day + 1) % DAYS) {
		*days = (uint8_t)(*days | 1u << day);
		if (day == to)
			return true;
	}
}

static bool
read_days(struct span text, uint8_t *days)
{
	*days = 0;
	while (text.len != 0)
		if (!read_range(text_next_field(&text, ','), days))
			return false;
	return *days != 0;
}

/* Read "21:00" up to "24:00". */
static bool
read_minute(struct span text, uint16_t *out)
{
	struct span hour_text = text_next_field(&text, ':');
	uint64_t hour, minute;

	if (hour_text.len == 0 || hour_text.len > 2 || text.len != 2 ||
	    !text_u64(hour_text, &hour) ||
	    !text_u64(text, &minute) || minute > 59 || hour * 60 + minute > DNS_DAY_MINUTES)
		return false;
	*out = (uint16_t)(hour * 60 + minute);
	return true;
}

static bool
read_times(struct span text, struct dns_schedule *s)
{
	struct span from = text_next_field(&text, '-');

	return read_minute(from, &s->from) && s->from < DNS_DAY_MINUTES &&
	    read_minute(text, &s->to);
}

enum err
dns_schedule_parse(struct dns_schedule *out, const char *text)
{
	struct span rest = span_str(text);
	struct span word = text_next_word(&rest);
	struct span more = text_next_word(&rest);

	*out = (struct dns_schedule){ .days = ALL_DAYS, .to = DNS_DAY_MINUTES };
	if (word.len == 0 || text_trim(rest).len != 0)
		return ERR_FORMAT;
	if (more.len != 0)
		return read_days(word, &out->days) && read_times(more, out) ? OK : ERR_FORMAT;
	if (memchr(word.at, ':', word.len) != NULL)
		return read_times(word, out) ? OK : ERR_FORMAT;
	return read_days(word, &out->days) ? OK : ERR_FORMAT;
}

const char *
dns_schedule_check(const char *text)
{
	struct dns_schedule s;

	return dns_schedule_parse(&s, text) == OK ? NULL
						  : "write \"mon-fri 21:00-06:00\", \"sat,sun\" or "
						    "\"12:00-13:30\"";
}

bool
dns_schedule_holds(const struct dns_schedule *s, struct dns_moment at)
{
	unsigned yesterday = (at.day + DAYS - 1) % DAYS;

	if (s->to > s->from)
		return (s->days >> at.day & 1) != 0 && at.minute >= s->from && at.minute < s->to;
	return ((s->days >> at.day & 1) != 0 && at.minute >= s->from) ||
	    ((s->days >> yesterday & 1) != 0 && at.minute < s->to);
}
