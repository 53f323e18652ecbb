/* SPDX-License-Identifier: MIT */
/*
 * The names of the house in the path of a query: answered here, or bent on their way. An alias of
 * ours that leads outside is resolved under its target's name and written in front of what comes
 * back; where names below are known here, an upstream's NXDOMAIN becomes NODATA.
 */
#include "services/dns/dns_resolver.h"

#include "core/netif.h"
#include "services/dns/dns_resolver_impl.h"
#include "services/dns/dns_v6.h"

enum dns_local_verdict
dns_resolver_find_local(const struct dns_resolver *r, const struct addr *client, struct span name,
    uint16_t type, struct dns_local_found *f)
{
	/* The machine's networks are for answers that depend on where the asker is. */
	struct dns_local_asker who = { .addr = client, .nets = r->nets, .net_count = r->net_count };

	return dns_local_find(r->local, name, type, &who, f);
}

void
dns_resolver_note_networks(struct dns_resolver *r)
{
	const struct netif_addr *addrs;
	size_t n = netif_addrs(r->env.netif, &addrs);

	r->net_count = 0;
	for (size_t i = 0; i < n && r->net_count < DNS_NETS_MAX; i++)
		r->nets[r->net_count++] = addrs[i].net;
}

void
dns_resolver_set_local(struct dns_resolver *r, const struct dns_local *set)
{
	r->local = set;
}

/* The alias that a reverse name of DNS64 is: RFC 6147 §5.3.1. */
static void
write_reverse(struct dns_wr *w, const struct dns_query *q, const struct dns_name *target)
{
	dns_wr_record(w, DNS_SECTION_ANSWER, dns_query_name(q), DNS_TYPE_CNAME, DNS_CLASS_IN,
	    DNS_V6_MAPPED_TTL, dns_name_span(target));
}

/* What the house says about a name; nothing, where there is no set of names. */
static enum dns_local_verdict
ask_house(const struct dns_resolver *r, const struct dns_asker *from, struct span name,
    uint16_t type, struct dns_local_found *f)
{
	*f = (struct dns_local_found){ 0 };
	return r->local != NULL ? dns_resolver_find_local(r, from->peer, name, type, f)
				: DNS_LOCAL_NOT_OURS;
}

bool
dns_resolver_stage_local(struct dns_resolver *r, struct dns_asker *from, const struct dns_query *q,
    struct dns_name *target)
{
	struct dns_local_found f;
	enum dns_local_verdict v = ask_house(r, from, dns_query_name(q), q->type, &f);

	/* The prefix of a NAT64 is often one of those that have no names outside of the house. */
	if ((v == DNS_LOCAL_NOT_OURS || v == DNS_LOCAL_NXDOMAIN) &&
	    dns_resolver_reverses(r, dns_query_name(q), q->type, target)) {
		from->aliased = true;
		v = ask_house(r, from, dns_name_span(target), q->type, &f);
		if (v == DNS_LOCAL_CNAME_OUT)
			v = DNS_LOCAL_NOT_OURS;
	}
	switch (v) {
	case DNS_LOCAL_NOT_OURS:
		from->names_below = f.names_below;
		return false;
	case DNS_LOCAL_CNAME_OUT:
		from->aliased = true;
		dns_name_copy(target, f.target);
		return false;
	case DNS_LOCAL_ANSWER:
	case DNS_LOCAL_NODATA:
	case DNS_LOCAL_NXDOMAIN:
	case DNS_LOCAL_LOOP:
		break;
	}
	r->n.answered_local++;
	dns_resolver_reply_local(r, from, q, &f);
	return true;
}

/* The question that stands in for q's, as the client could have asked it. */
static void
stand_in(struct dns_query *t, const struct dns_query *q, struct span name, uint16_t type,
    uint8_t packet[static DNS_HEADER_BYTES + DNS_NAME_MAX + 4])
{
	struct wire_wr wr = wire_wr_of(packet, DNS_HEADER_BYTES + DNS_NAME_MAX + 4);

	*t = *q;
	(void)wire_wr_take(&wr, DNS_HEADER_BYTES);
	wire_wr_bytes(&wr, name);
	wire_wr_u16(&wr, type);
	wire_wr_u16(&wr, q->class);
	t->packet = wire_wr_span(&wr);
	t->question_len = (uint16_t)(t->packet.len - DNS_HEADER_BYTES);
	t->type = type;
	t->edns = false;
	t->cookie = span_of(NULL, 0);
	dns_name_lower(t->name, name);
	t->name_len = (uint8_t)name.len;
}

static void
copy_answer(struct dns_wr *w, struct span msg)
{
	struct dns_walk walk;
	struct dns_rr rr;

	dns_walk_begin(&walk, msg);
	while (dns_rr_next(&walk, &rr))
		if (rr.section != DNS_SECTION_ADDITIONAL)
			dns_wr_copy(w, &rr, msg);
}

void
dns_resolver_write_local(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_local_found *f, struct dns_wr *w)
{
	uint8_t packet[DNS_HEADER_BYTES + DNS_NAME_MAX + 4];
	struct dns_name target;
	struct dns_query t;
	struct dns_wr inner;

	if (!from->aliased || !dns_resolver_reverses(r, dns_query_name(q), q->type, &target)) {
		dns_local_write(f, w);
		return;
	}
	stand_in(&t, q, dns_name_span(&target), q->type, packet);
	dns_wr_begin(&inner, &t, r->target_room, DNS_MSG_MAX);
	dns_local_write(f, &inner);

	size_t len = dns_wr_end(&inner, DNS_NOERROR, 0, NULL);

	write_reverse(w, q, &target);
	copy_answer(w, span_of(r->target_room, len));
}

size_t
dns_resolver_write_bent(struct dns_resolver *r, const struct dns_asker *from,
    const struct dns_query *q, const struct dns_entry *e, const struct dns_opt *opt, uint8_t *out,
    size_t limit)
{
	uint8_t packet[DNS_HEADER_BYTES + DNS_NAME_MAX + 4];
	struct span name = dns_query_name(q);
	struct dns_local_found f;
	struct dns_name reverse;
	struct dns_query t;
	struct dns_wr w;
	bool ours = from->aliased &&
	    ask_house(r, from, name, q->type, &f) == DNS_LOCAL_CNAME_OUT;
	bool reversed = from->aliased && !ours && dns_resolver_reverses(r, name, q->type, &reverse);

	/*
	 * The names may have been read anew while the question was out: then the client asks again.
	 */
	if (from->aliased && !ours && !reversed)
		return dns_reply_empty(q, DNS_SERVFAIL, 0, opt, out, limit);
	if (from->aliased)
		name = ours ? f.target : dns_name_span(&reverse);
	stand_in(&t, q, name, from->mapped ? DNS_TYPE_A : q->type, packet);

	size_t len = e != NULL
	    ? dns_cache_write(r->cache, e, &t, from->now, NULL, r->target_room, DNS_MSG_MAX)
	    : dns_reply_stored(&r->packed.view, &t, NULL, r->target_room, DNS_MSG_MAX);
	struct span msg = span_of(r->target_room, len);

	dns_wr_begin(&w, q, out, limit);
	if (ours)
		dns_local_write(&f, &w);
	if (reversed)
		write_reverse(&w, q, &reverse);
	if (from->mapped)
		dns_v6_write_mapped(&r->dns64, &w, msg);
	else if (!dns_resolver_strips(r, q))
		copy_answer(&w, msg);
	else if (dns_v6_write_stripped(&w, r->target_room, len) != 0)
		dns_wr_soa(&w, DNS_SECTION_AUTHORITY, dns_query_name(q), DNS_FILTER_TTL);
	r->n.mapped += from->mapped;
	return dns_wr_end(&w, dns_msg_flags(msg) & DNS_FLAG_RCODE, 0, opt);
}
