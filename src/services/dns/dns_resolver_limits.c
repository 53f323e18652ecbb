/* SPDX-License-Identifier: MIT */
/*
 * What one client may ask, and what is asked for most. The limit is off unless the settings say
 * otherwise, and never silent: a client that meets it is told, and so are the log and the report.
 */
#include "services/dns/dns_resolver.h"

#include <string.h>

#include "core/rand.h"
#include "services/dns/dns_resolver_impl.h"

#define EACH_COUNTED 8		/* queries of one turn of the loop that are counted one by one; */
#define SAMPLED	     8		/* of what more comes at once one in so many stands for all */
#define RATE_CLIENTS 4096	/* known at once */
#define RATE_BURST   2		/* seconds' worth at once */

/* --- how much --------------------------------------------------------------------------------- */

static void
configure_rate(struct dns_resolver *r, uint32_t rate)
{
	uint8_t key[SEAL_SHORT_KEY_BYTES];
	uint64_t refused = r->rates.refused;

	if (r->rates.cap != 0 && r->rates.rate == rate)
		return;
	bucket_table_fini(&r->rates);
	if (rate == 0)
		return;
	rand_bytes(r->env.rand, key, sizeof(key));
	if (bucket_table_init(&r->rates, RATE_CLIENTS, rate, RATE_BURST * rate, 128, key) != OK)
		log_note(r->env.log, LOG_LEVEL_WARNING, r->env.service,
		    "no memory: clients may ask as much as they like");
	r->rates.refused = refused;
}

static void
complain(struct dns_resolver *r, const struct dns_asker *from)
{
	uint64_t suppressed;

	if (log_gate_pass(&r->rate_gate, from->now, &suppressed))
		log_event(r->env.log, LOG_LEVEL_WARNING, r->env.service, "asks too much",
		    LOG_PEER(from->peer), LOG_U64("client-rate", r->rates.rate),
		    LOG_U64("more", suppressed));
}

bool
dns_resolver_stage_rate(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q)
{
	if (r->rates.cap == 0 || bucket_table_take(&r->rates, from->peer, 1, from->now) ||
	    acl_allows(&r->rate_exempt, r->env.netif, from->peer))
		return false;
	r->n.rate_limited++;
	complain(r, from);
	dns_resolver_reply_reason(r, from, q, DNS_REFUSED, DNS_EDE_PROHIBITED,
	    "this client asks too much (client-rate)");
	return true;
}

/* --- what and who ----------------------------------------------------------------------------- */

static void
count_nothing(struct dns_resolver *r)
{
	dns_top_free(r->asked);
	dns_top_free(r->blocked);
	dns_top_free(r->clients);
	r->asked = r->blocked = r->clients = NULL;
}

static void
configure_top(struct dns_resolver *r, bool on)
{
	mono_us now = loop_now(r->env.loop);

	if (on == (r->clients != NULL))
		return;
	count_nothing(r);
	if (on && (dns_top_new(&r->asked, DNS_NAME_MAX, now) != OK ||
	    dns_top_new(&r->blocked, DNS_NAME_MAX, now) != OK ||
	    dns_top_new(&r->clients, sizeof(struct addr), now) != OK))
		count_nothing(r);
}

void
dns_resolver_configure_limits(struct dns_resolver *r, struct dns_resolver_config *cf)
{
	configure_rate(r, cf->client_rate);
	acl_fini(&r->rate_exempt);
	r->rate_exempt = cf->rate_exempt;
	cf->rate_exempt = (struct acl){ 0 };
	configure_top(r, cf->top);
}

void
dns_resolver_free_limits(struct dns_resolver *r)
{
	bucket_table_fini(&r->rates);
	acl_fini(&r->rate_exempt);
	count_nothing(r);
}

/* How often a query counts: under a flood most do not, and some for many. */
static uint32_t
weight(struct dns_resolver *r, mono_us now)
{
	if (now != r->counted_at)
		r->counted = 0;
	r->counted_at = now;
	if (++r->counted <= EACH_COUNTED)
		return 1;
	return r->counted % SAMPLED == 0 ? SAMPLED : 0;
}

void
dns_resolver_count_query(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q)
{
	const uint8_t *bytes;
	uint32_t n = r->clients != NULL ? weight(r, from->now) : 0;

	if (n == 0)
		return;

	size_t len = addr_bytes(from->peer, &bytes);

	dns_top_count(r->asked, q->name_hash, dns_query_name(q), n, from->now);
	dns_top_count(r->clients, dns_name_hash(span_of(bytes, len), dns_cache_hash_key(r->cache)),
	    span_of(from->peer, sizeof(*from->peer)), n, from->now);
}

void
dns_resolver_count_blocked(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q)
{
	if (r->blocked != NULL)
		dns_top_count(r->blocked, q->name_hash, dns_query_name(q), 1, from->now);
}

bool
dns_resolver_counts(const struct dns_resolver *r)
{
	return r->clients != NULL;
}

static void
report_name(struct report *o, struct span key)
{
	char text[DNS_NAME_TEXT_MAX];

	report_str(o, "name", dns_name_format(key, text));
}

static void
report_client(struct report *o, struct span key)
{
	struct addr client;
	char text[ADDR_TEXT_MAX];

	memcpy(&client, key.at, sizeof(client));
	report_str(o, "client", addr_format_host(&client, text));
}

static void
report_top(struct dns_top *t, size_t max, mono_us now, struct report *list,
    void (*report_key)(struct report *o, struct span key))
{
	struct dns_top_line lines[DNS_TOP_LINES];
	size_t n = dns_top_list(t, now, lines, max < DNS_TOP_LINES ? max : DNS_TOP_LINES);

	for (size_t i = 0; i < n; i++) {
		struct report *o = report_object(list, NULL);

		report_u64(o, "queries", lines[i].count);
		report_key(o, lines[i].key);
	}
}

void
dns_resolver_top(struct dns_resolver *r, size_t lines, mono_us now, struct report *out)
{
	report_i64(out, "minutes", (now - dns_top_since(r->clients)) / seconds(60));
	report_top(r->asked, lines, now, report_list(out, "asked"), report_name);
	report_top(r->blocked, lines, now, report_list(out, "blocked"), report_name);
	report_top(r->clients, lines, now, report_list(out, "clients"), report_client);
}
