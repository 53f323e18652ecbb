/* SPDX-License-Identifier: MIT */
/* One function per command; each ends the request. */
#include "services/dns/dns_commands.h"

#include <string.h>

#include "services/dns/dns_cache.h"
#include "services/dns/dns_msg.h"
#include "services/dns/dns_name.h"

#define LOOKUP_MAX 256	/* entries shown for one name */
#define TOP_LINES  10	/* of each kind */

static const char *const state_names[] = {
	[DNS_CACHE_MISS] = "expired",
	[DNS_CACHE_FRESH] = "fresh",
	[DNS_CACHE_STALE] = "stale",
	[DNS_CACHE_STALE_HELD] = "stale, upstreams left alone",
	[DNS_CACHE_FAILED] = "failure",
};

/* Read the name in argv[i]; on nonsense the request has ended and false is given. */
static bool
name_arg(struct ctl_request *rq, size_t i, struct dns_name *out)
{
	if (dns_name_parse(out, span_str(rq->argv[i])) == OK)
		return true;
	ctl_fail(rq, "\"%s\" is not a domain name", rq->argv[i]);
	return false;
}

static void
report_entry(struct dns_cache *c, const struct dns_entry *e, mono_us now, struct report *out)
{
	struct dns_entry_info info;
	char type[DNS_TYPE_TEXT_MAX];
	char name[DNS_NAME_TEXT_MAX];
	char rcode[DNS_TYPE_TEXT_MAX];

	dns_entry_info(c, e, now, &info);
	report_str(out, "name", dns_name_format(info.key.name, name));
	report_str(out, "type", info.any_type ? "any" : dns_type_format(info.key.type, type));
	report_str(out, "state", state_names[info.state]);
	report_str(out, "rcode", dns_rcode_format(info.answer.rcode, rcode));
	report_i64(out, "ttl_s",
	    info.state == DNS_CACHE_FAILED ? (int64_t)info.held_s : info.ttl_s);
	report_u64(out, "age_s", info.age_s);
	report_u64(out, "records", info.answer.answers);
	report_u64(out, "hits", info.hits);
	report_u64(out, "bytes", info.bytes);
	report_bool(out, "dnssec_ok", info.key.dnssec_ok);
}

static void
lookup(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	struct dns_cache *c = dns_resolver_cache(r);
	struct dns_name name;
	const struct dns_entry *e;
	uint32_t cursor = 0;
	unsigned shown = 0;

	if (rq->argc != 2) {
		ctl_fail(rq, "usage: dns lookup NAME");
		return;
	}
	if (!name_arg(rq, 1, &name))
		return;

	struct report *list = report_list(rq->out, "entries");

	while (shown < LOOKUP_MAX &&
	    (e = dns_cache_next_of(c, dns_name_span(&name), &cursor)) != NULL) {
		report_entry(c, e, now, report_object(list, NULL));
		shown++;
	}
	report_u64(rq->out, "found", shown);
	ctl_done(rq);
}

static void
flush(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	struct dns_cache *c = dns_resolver_cache(r);
	struct dns_name name;
	uint16_t type;
	size_t gone;

	(void)now;
	if (rq->argc == 2 && strcmp(rq->argv[1], "--all") == 0) {
		gone = dns_cache_flush_all(c);
	} else if (rq->argc == 2) {
		if (!name_arg(rq, 1, &name))
			return;
		gone = dns_cache_flush_name(c, dns_name_span(&name));
	} else if (rq->argc == 3 && strcmp(rq->argv[1], "--below") == 0) {
		if (!name_arg(rq, 2, &name))
			return;
		gone = dns_cache_flush_below(c, dns_name_span(&name));
	} else if (rq->argc == 3) {
		if (!name_arg(rq, 1, &name))
			return;
		if (dns_type_parse(&type, span_str(rq->argv[2])) != OK) {
			ctl_fail(rq, "\"%s\" is not a record type", rq->argv[2]);
			return;
		}
		gone = dns_cache_flush_type(c, dns_name_span(&name), type);
	} else {
		ctl_fail(rq,
		    "usage: dns flush NAME [TYPE] | dns flush --below NAME | dns flush --all");
		return;
	}
	report_u64(rq->out, "flushed", gone);
	ctl_done(rq);
}

static void
explain(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	struct dns_name name;
	struct addr client;
	uint16_t type = DNS_TYPE_A;
	const char *from = rq->argc > 3 ? rq->argv[3] : "127.0.0.1";

	if (rq->argc < 2 || rq->argc > 4) {
		ctl_fail(rq, "usage: dns explain NAME [TYPE] [CLIENT]");
		return;
	}
	if (!name_arg(rq, 1, &name))
		return;
	if (rq->argc > 2 && dns_type_parse(&type, span_str(rq->argv[2])) != OK) {
		ctl_fail(rq, "\"%s\" is not a record type", rq->argv[2]);
		return;
	}
	if (addr_parse(&client, from, 0) != OK) {
		ctl_fail(rq, "\"%s\" is not an address", from);
		return;
	}
	dns_name_lower(name.wire, dns_name_span(&name));
	dns_resolver_explain(r, dns_name_span(&name), type, &client, now, rq->out);
	ctl_done(rq);
}

static void
stats(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	(void)now;
	dns_resolver_report(r, rq->out);
	ctl_done(rq);
}

static void
upstreams(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	(void)now;
	dns_resolver_report_upstreams(r, rq->out);
	ctl_done(rq);
}

static void
top(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	if (rq->argc != 1) {
		ctl_fail(rq, "usage: dns top");
		return;
	}
	if (!dns_resolver_counts(r)) {
		ctl_fail(rq, "nothing is counted: the setting dns.top is false");
		return;
	}
	dns_resolver_top(r, TOP_LINES, now, rq->out);
	ctl_done(rq);
}

static const struct {
	const char *word;
	void (*run)(struct dns_resolver *r, mono_us now, struct ctl_request *rq);
} commands[] = {
	{ "stats", stats },
	{ "lookup", lookup },
	{ "explain", explain },
	{ "flush", flush },
	{ "upstreams", upstreams },
	{ "top", top },
};

void
dns_command(struct dns_resolver *r, mono_us now, struct ctl_request *rq)
{
	for (size_t i = 0; rq->argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(rq->argv[0], commands[i].word) == 0) {
			commands[i].run(r, now, rq);
			return;
		}
	}
	ctl_fail(rq, "usage: dns stats | top | lookup NAME | explain NAME [TYPE] [CLIENT] | "
		     "flush NAME [TYPE] | flush --below NAME | flush --all | upstreams");
}
