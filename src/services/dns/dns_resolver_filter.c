/* SPDX-License-Identifier: MIT */
/*
 * Lists and the guard against rebinding in the path of a query. A name is judged before the cache
 * is asked, as other clients may get other answers; the aliases of an answer when it is written;
 * the addresses of an answer once, before it is kept.
 */
#include "services/dns/dns_resolver.h"

#include <stdio.h>

#include "core/log.h"
#include "core/loop.h"
#include "services/dns/dns_rebind.h"
#include "services/dns/dns_resolver_impl.h"

void
dns_resolver_set_lists(struct dns_resolver *r, struct dns_lists *lists)
{
	r->lists = lists;
}

uint32_t
dns_resolver_groups(const struct dns_resolver *r, const struct dns_filter *f,
    struct dns_filter_client *who, uint8_t mac[static MAC_BYTES])
{
	uint32_t mask = dns_filter_mask(f, who);

	if (!dns_filter_wants_mac(f, mask) ||
	    !neigh_find(r->neigh, who->addr, loop_now(r->env.loop), mac))
		return mask;
	who->mac = mac;
	return dns_filter_mask(f, who);
}

/* Many houses have no lists, or have them at times only. */
static bool
is_idle(const struct dns_resolver *r)
{
	return r->lists == NULL || dns_filter_is_idle(dns_lists_filter(r->lists));
}

/* The filter, where there is anything to ask it for this client; *mask is not 0 then. */
static struct dns_filter *
filter_for(const struct dns_resolver *r, const struct addr *client, uint32_t *mask)
{
	struct dns_filter *f = r->lists != NULL ? dns_lists_filter(r->lists) : NULL;
	struct dns_filter_client who = { .addr = client };
	uint8_t mac[MAC_BYTES];

	if (f == NULL)
		return NULL;
	*mask = dns_resolver_groups(r, f, &who, mac);
	return *mask != 0 ? f : NULL;
}

enum dns_filter_verdict
dns_resolver_judge(const struct dns_resolver *r, const struct addr *client, struct span lower,
    struct dns_filter_hit *hit)
{
	uint32_t mask;
	struct dns_filter *f = filter_for(r, client, &mask);

	return f != NULL ? dns_filter_name(f, mask, lower, hit) : DNS_FILTER_PASS;
}

bool
dns_resolver_stage_lists(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q)
{
	struct dns_filter_hit hit;

	/*
	 * An alias of the house is no name of a list; what it leads to is judged with the answer.
	 */
	if (from->aliased || is_idle(r))
		return false;
	switch (dns_resolver_judge(r, from->peer, dns_query_name(q), &hit)) {
	case DNS_FILTER_PASS:
		return false;
	case DNS_FILTER_ALLOWED:
		dns_filter_count(dns_lists_filter(r->lists), &hit, false);
		return false;
	case DNS_FILTER_BLOCKED:
		break;
	}
	r->n.blocked++;
	dns_filter_count(dns_lists_filter(r->lists), &hit, true);
	dns_resolver_reply_blocked(r, from, q, &hit);
	return true;
}

size_t
dns_resolver_write_blocked(struct dns_resolver *r, const struct dns_query *q,
    const struct dns_filter_hit *hit, const struct dns_opt *opt, uint8_t *out, size_t limit)
{
	const struct dns_filter *f = dns_lists_filter(r->lists);
	struct dns_opt with_reason = opt != NULL ? *opt : (struct dns_opt){ 0 };
	char why[DNS_FILTER_WHY_MAX];
	struct dns_wr w;
	uint16_t rcode;

	dns_wr_begin(&w, q, out, limit);
	rcode = dns_filter_write(f, hit, &w);
	if (q->edns)
		dns_filter_ede(f, hit, &with_reason, why);
	return dns_wr_end(&w, rcode, 0, &with_reason);
}

bool
dns_resolver_blocks_answer(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, struct span msg, struct dns_filter_hit *hit)
{
	struct dns_filter *f;
	uint32_t mask;

	if (is_idle(r) || !dns_filter_leads_on(msg, q->question_len))
		return false;
	f = filter_for(r, from->peer, &mask);
	if (f == NULL)
		return false;
	switch (dns_filter_answer(f, mask, dns_query_name(q), msg, hit)) {
	case DNS_FILTER_PASS:
		return false;
	case DNS_FILTER_ALLOWED:
		dns_filter_count(f, hit, false);
		return false;
	case DNS_FILTER_BLOCKED:
		break;
	}
	r->n.blocked++;
	dns_filter_count(f, hit, true);
	return true;
}

/* Say which setting lets such answers through, as it can be copied. */
static void
log_rebinding(struct dns_resolver *r, struct span name, const struct addr *a)
{
	char text[DNS_NAME_TEXT_MAX];
	char exemption[DNS_NAME_TEXT_MAX + 32];
	char host[ADDR_TEXT_MAX];
	uint64_t suppressed;

	if (!log_gate_pass(&r->rebind_gate, loop_now(r->env.loop), &suppressed))
		return;
	dns_name_format(name, text);
	snprintf(exemption, sizeof(exemption), "rebind-allow += { '%s' }", text);
	log_event(r->env.log, LOG_LEVEL_WARNING, r->env.service,
	    "refused an answer that leads into the house", LOG_SPAN("name", span_str(text)),
	    LOG_STR("address", addr_format_host(a, host)),
	    LOG_SPAN("exemption", span_str(exemption)), LOG_U64("more", suppressed));
}

void
dns_resolver_guard(struct dns_resolver *r, const struct dns_key *key)
{
	struct dns_question asked = { .name = key->name, .type = key->type, .class = key->class };
	struct addr a;

	/* A route's zone is the owner's by his own word. */
	if (r->lists == NULL || key->route != DNS_ROUTE_DEFAULT ||
	    !dns_rebind_find(&r->packed, &a) || !dns_lists_guards(r->lists, key->name))
		return;
	r->n.rebinding++;
	log_rebinding(r, key->name, &a);
	dns_rebind_refuse(&r->packed, &asked, &a);
}
