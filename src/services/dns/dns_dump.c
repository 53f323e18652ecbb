/* SPDX-License-Identifier: MIT */
/*
 * Entries as reports. A slice ends after SLICE_ENTRIES entries, SLICE_BYTES of them or SLICE_PLACES
 * places of the cache, whatever comes first, and has one entry in any case: some 300 us, and as much
 * again for the control socket.
 */
#include "services/dns/dns_dump.h"

#include <stdlib.h>

#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"
#include "services/dns/dns_record.h"
#include "util/wire.h"

#define SLICE_ENTRIES 32
#define SLICE_BYTES   (8u << 10)
#define SLICE_PLACES  8192

/* Room for one entry's message and one record's data as text. */
struct scratch {
	uint8_t msg[DNS_MSG_MAX];
	uint8_t text[DNS_RECORD_TEXT_MAX + 1];
};

static const char *const state_names[] = {
	[DNS_CACHE_MISS] = "expired",
	[DNS_CACHE_FRESH] = "fresh",
	[DNS_CACHE_STALE] = "stale",
	[DNS_CACHE_STALE_HELD] = "stale, upstreams left alone",
	[DNS_CACHE_FAILED] = "failure",
};

void
dns_dump_entry(const struct dns_entry_info *info, const struct dns_routes *rs, struct report *out)
{
	char type[DNS_TYPE_TEXT_MAX];
	char name[DNS_NAME_TEXT_MAX];
	char rcode[DNS_TYPE_TEXT_MAX];

	report_str(out, "name", dns_name_format(info->key.name, name));
	report_str(out, "type", info->any_type ? "any" : dns_type_format(info->key.type, type));
	report_str(out, "state", state_names[info->state]);
	report_str(out, "rcode", dns_rcode_format(info->answer.rcode, rcode));
	report_i64(out, "ttl_s",
	    info->kind == DNS_ANSWER_FAILURE ? (int64_t)info->held_s : info->ttl_s);
	report_u64(out, "age_s", info->age_s);
	report_u64(out, "records", info->answer.answers);
	report_u64(out, "hits", info->hits);
	report_u64(out, "bytes", info->bytes);
	report_bool(out, "dnssec_ok", info->key.dnssec_ok);
	report_bool(out, "checking_disabled", info->key.checking_disabled);
	if (info->key.route != DNS_ROUTE_DEFAULT)
		report_str(out, "route",
		    dns_name_format(dns_routes_zone(rs, info->key.route), name));
}

/* What is left of TTLs, which those do not have who are past it. */
static struct dns_stored
as_it_is(const struct dns_entry_info *info)
{
	struct dns_stored answer = info->answer;

	if (info->state != DNS_CACHE_FRESH)
		answer.ttl_cap_s = 0;
	return answer;
}

static void
report_record(const struct dns_rr *rr, struct span msg, struct scratch *s, struct report *out)
{
	struct wire_rd rd = wire_rd_of(msg);
	struct wire_wr text = wire_wr_of(s->text, sizeof(s->text));
	char class[DNS_TYPE_TEXT_MAX], type[DNS_TYPE_TEXT_MAX], name[DNS_NAME_TEXT_MAX];
	struct dns_name owner;

	wire_rd_skip(&rd, rr->owner_at);
	if (!dns_name_expand(&owner, &rd))
		return;
	report_str(out, "section", rr->section == DNS_SECTION_ANSWER ? "answer" : "authority");
	report_str(out, "name", dns_name_format(dns_name_span(&owner), name));
	report_u64(out, "ttl_s", rr->ttl);
	report_str(out, "class", dns_class_format(rr->class, class));
	report_str(out, "type", dns_type_format(rr->type, type));
	dns_record_write(rr->type, msg, rr->rdata, &text);
	wire_wr_u8(&text, '\0');
	report_str(out, "data", (const char *)s->text);
}

static void
report_answer(const struct dns_entry_info *info, struct scratch *s, struct report *out)
{
	struct dns_stored answer = as_it_is(info);
	struct span msg = span_of(s->msg, dns_entry_message(info, &answer, s->msg, sizeof(s->msg)));
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_begin(&w, msg);
	while (dns_rr_next(&w, &rr))
		if (rr.section != DNS_SECTION_ADDITIONAL)
			report_record(&rr, msg, s, report_object(out, NULL));
}

enum err
dns_dump_slice(const struct dns_cache *c, const struct dns_routes *rs, uint32_t *cursor,
    mono_us now, struct report *list, bool *more)
{
	struct scratch *s = malloc(sizeof(*s));
	unsigned places = SLICE_PLACES, entries = 0;
	size_t bytes = 0;
	const struct dns_entry *e;

	if (s == NULL)
		return ERR_NOMEM;
	*more = true;
	while (entries < SLICE_ENTRIES && bytes < SLICE_BYTES && places != 0) {
		struct dns_entry_info info;
		struct report *o;

		e = dns_cache_next_within(c, cursor, &places);
		if (e == NULL) {
			*more = places == 0;
			break;
		}
		dns_entry_info(c, e, now, &info);
		o = report_object(list, NULL);
		dns_dump_entry(&info, rs, o);
		report_answer(&info, s, report_list(o, "answer"));
		entries++;
		bytes += info.bytes;
	}
	free(s);
	return OK;
}
