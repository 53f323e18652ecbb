/* SPDX-License-Identifier: MIT */
/* The counters of the resolver and of what it owns. */
#include "services/dns/dns_resolver_impl.h"

static void
report_cache(const struct dns_resolver *r, struct report *out)
{
	struct dns_cache_stats st;

	dns_cache_stats(r->cache, &st);
	report_u64(out, "hits", st.hits);
	report_u64(out, "misses", st.misses);
	report_u64(out, "stale_hits", st.stale_hits);
	report_u64(out, "failure_hits", st.failure_hits);
	report_u64(out, "inserts", st.inserts);
	report_u64(out, "replaced", st.replaced);
	report_u64(out, "evictions", st.evictions);
	report_u64(out, "expired", st.expired);
	report_u64(out, "flushed", st.flushed);
	report_u64(out, "too_big", st.too_big);
	report_u64(out, "no_memory", st.no_memory);
	report_u64(out, "entries", st.entries);
	report_u64(out, "negative_entries", st.negative_entries);
	report_u64(out, "bytes", st.bytes);
	report_u64(out, "negative_bytes", st.negative_bytes);
	report_u64(out, "max_bytes", st.max_bytes);
}

static void
report_flights(const struct dns_resolver *r, struct report *out)
{
	const struct dns_forward_stats *st = dns_forward_stats(r->forward);

	report_u64(out, "now", st->flights);
	report_u64(out, "peak", st->flights_peak);
	report_u64(out, "max", DNS_FLIGHTS_MAX);
	report_u64(out, "asked", st->asked);
	report_u64(out, "joined", st->joined);
	report_u64(out, "sends", st->sends);
	report_u64(out, "retries", st->retries);
	report_u64(out, "good", st->good);
	report_u64(out, "bad", st->bad);
	report_u64(out, "silent", st->silent);
	report_u64(out, "evicted", st->evicted);
	report_u64(out, "refused", st->refused);
	report_u64(out, "waiting", r->pool.used);
	report_u64(out, "waiting_peak", r->pool.used_peak);
	report_u64(out, "waiting_max", r->pool.count);
	report_u64(out, "waiting_exhausted", r->pool.exhausted);
	report_u64(out, "client_max", r->pool.per_client);
	report_u64(out, "client_exhausted", r->pool.clients.refused);
}

void
dns_resolver_report_upstreams(const struct dns_resolver *r, struct report *out)
{
	dns_upstream_report(r->upstream, out);
	if (r->bootstrap != NULL)
		dns_bootstrap_report(r->bootstrap, out);
}

void
dns_resolver_report(const struct dns_resolver *r, struct report *out)
{
	const struct counters *n = &r->n;

	report_u64(out, "queries", n->queries);
	report_u64(out, "tcp", n->tcp);
	report_u64(out, "answered_local", n->answered_local);
	report_u64(out, "blocked", n->blocked);
	report_u64(out, "mapped_to_ipv6", n->mapped);
	report_u64(out, "rebinding_refused", n->rebinding);
	report_u64(out, "answered_fresh", n->answered_fresh);
	report_u64(out, "answered_stale", n->answered_stale);
	report_u64(out, "answered_failure", n->answered_failure);
	report_u64(out, "answered_upstream", n->answered_upstream);
	report_u64(out, "upstream_mean_us",
	    n->answered_upstream != 0 ? n->latency_us / n->answered_upstream : 0);
	report_u64(out, "servfail", n->servfail);
	report_u64(out, "rate_limited", n->rate_limited);
	report_u64(out, "not_allowed", n->not_allowed);
	report_u64(out, "junk", n->junk);
	report_u64(out, "formerr", n->formerr);
	report_u64(out, "notimp", n->notimp);
	report_u64(out, "badvers", n->badvers);
	report_u64(out, "refused", n->refused);
	report_u64(out, "cookies_good", n->cookies_good);
	report_u64(out, "cookies_bad", n->cookies_bad);
	report_u64(out, "loops", n->loops);
	report_u64(out, "prefetches", n->prefetches);
	report_u64(out, "answers_malformed", n->answers_malformed);
	report_u64(out, "overloaded", n->overloaded);
	report_u64(out, "ending", n->ending);
	report_cache(r, report_object(out, "cache"));
	dns_resolver_report_held(r, report_object(out, "held"));
	neigh_report(r->neigh, report_object(out, "neighbours"));
	report_flights(r, report_object(out, "in_flight"));
	dns_resolver_report_upstreams(r, report_object(out, "upstream"));
}
