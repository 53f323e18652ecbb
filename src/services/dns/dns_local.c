/* SPDX-License-Identifier: MIT */
/*
 * Looking up local names. A name is walked from the top label down; the walk ends where nobody has
 * the next label, and what was passed on the way tells which zone rule holds.
 *
 * RFC 1034 §4.3.2 and §4.3.3 with RFC 4592 for records; RFC 2308 for what is not there; rules for
 * whole zones as the `address` and `local` settings of dnsmasq have them.
 */
#include "services/dns/dns_local.h"

#include <stdio.h>
#include <string.h>

#include "services/dns/dns_local_impl.h"
#include "util/wire.h"

/* Values of dns_local_found.rule beside numbers of records. */
#define WHY_NONE  UINT32_MAX
#define WHY_PLAIN (UINT32_MAX - 1)

#define NEAR_BITS_4 24	/* networks of askers that are not directly connected */
#define NEAR_BITS_6 64

/* What one name of a chain leads to. */
enum step {
	STEP_DONE,	/* the verdict stands */
	STEP_ALIAS,	/* f->alias has one more */
};

/* --- who asks --------------------------------------------------------------------------------- */

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned mask = 0xff00u >> (bits % 8) & 0xff;

	return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

static bool
is_near(const struct prefix *near, struct span addr)
{
	return addr.len == (near->family == AF_INET ? 4 : 16) &&
	    same_bits(near->bytes, addr.at, near->bits);
}

/* The network that the asker is in: the narrowest that is connected, or a guess. */
static struct prefix
network_of(const struct dns_local_asker *who)
{
	struct prefix best = { 0 };

	for (size_t i = 0; i < who->net_count; i++)
		if (who->nets[i].bits > best.bits && prefix_match(&who->nets[i], who->addr))
			best = who->nets[i];
	if (best.family == 0)
		prefix_of(&best, who->addr,
		    who->addr->sa.sa_family == AF_INET ? NEAR_BITS_4 : NEAR_BITS_6);
	return best;
}

/* A hosts file's word about this machine is for those on this machine. */
static bool
is_told(const struct dns_local_found *f, const struct local_rr *rr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	struct span addr;

	if (f->on_host || rr->kind != KIND_DATA || rr->rank != RANK_HOST)
		return true;
	addr = local_rdata(f->set, rr);
	return addr.len == 4 ? addr.at[0] != 127 : memcmp(addr.at, loopback6, 16) != 0;
}

/* --- records of a node ------------------------------------------------------------------------ */

/* The record is one of those that answer. */
static bool
answers(const struct dns_local_found *f, const struct local_rr *rr)
{
	bool right_kind = f->kind == KIND_ADDRESS ? rr->kind == KIND_ADDRESS : rr->kind <= KIND_PTR;

	return right_kind && rr->type == f->type && is_told(f, rr);
}

/* Where some of the addresses are in the asker's network, the others are not told. */
static void
prefer_near(struct dns_local_found *f, const struct dns_local_asker *who)
{
	const struct dns_local *s = f->set;

	if (who == NULL || who->addr == NULL || s->opts.all_addresses ||
	    (f->type != DNS_TYPE_A && f->type != DNS_TYPE_AAAA))
		return;
	f->near = network_of(who);
	for (uint32_t i = s->nodes[f->node].first; i != LOCAL_NONE; i = s->rrs[i].next)
		if (answers(f, &s->rrs[i]) && is_near(&f->near, local_rdata(s, &s->rrs[i])))
			return;
	f->near.family = AF_UNSPEC;
}

/* Find the records of f->type at f->node; gives how many, and the first one as the rule. */
static unsigned
count_answers(struct dns_local_found *f)
{
	const struct dns_local *s = f->set;
	unsigned n = 0;

	for (uint32_t i = s->nodes[f->node].first; i != LOCAL_NONE; i = s->rrs[i].next)
		if (answers(f, &s->rrs[i]) && n++ == 0)
			f->rule = i;
	return n;
}

static uint32_t
first_of_kinds(const struct dns_local *s, uint32_t node, uint8_t from, uint8_t to)
{
	uint32_t i = s->nodes[node].first;

	while (i != LOCAL_NONE && (s->rrs[i].kind < from || s->rrs[i].kind > to))
		i = s->rrs[i].next;
	return i;
}

static uint32_t
find_alias(const struct dns_local *s, uint32_t node)
{
	uint32_t i = s->nodes[node].first;

	while (i != LOCAL_NONE &&
	    (s->rrs[i].kind != KIND_DATA || s->rrs[i].type != DNS_TYPE_CNAME))
		i = s->rrs[i].next;
	return i;
}

/* The name has records of its own, or those of a wildcard. */
static enum step
decide_by_records(struct dns_local_found *f, uint32_t node, const struct dns_local_asker *who)
{
	const struct dns_local *s = f->set;
	uint32_t first = first_of_kinds(s, node, KIND_DATA, KIND_PTR);
	uint32_t alias;
	unsigned n;

	f->node = node;
	f->kind = KIND_DATA;
	f->rule = first;
	if (f->type == DNS_TYPE_ANY)	/* one set will do: RFC 8482 §4.1 */
		f->type = s->rrs[first].type;
	n = count_answers(f);
	if (n != 0) {
		f->verdict = DNS_LOCAL_ANSWER;
		if (n > 1)
			prefer_near(f, who);
		return STEP_DONE;
	}
	alias = find_alias(s, node);
	f->verdict = DNS_LOCAL_NODATA;
	if (alias == LOCAL_NONE)
		return STEP_DONE;
	if (f->aliases == DNS_CHAIN_MAX) {
		f->verdict = DNS_LOCAL_LOOP;
		return STEP_DONE;
	}
	f->alias[f->aliases++] = alias;
	return STEP_ALIAS;
}

/* --- rules ------------------------------------------------------------------------------------ */

/* The record that says where the rule of a node comes from. */
static uint32_t
find_rule(const struct dns_local *s, uint32_t node)
{
	uint32_t i = s->nodes[node].first;

	while (i != LOCAL_NONE &&
	    (s->rrs[i].kind != KIND_RULE || s->rrs[i].type != s->nodes[node].rule))
		i = s->rrs[i].next;
	return i;
}

/* An address for the whole zone; of the records, only addresses are found. */
static void
decide_by_address(struct dns_local_found *f, uint32_t zone, const struct dns_local_asker *who)
{
	const struct dns_local *s = f->set;
	unsigned n;

	f->node = zone;
	f->kind = KIND_ADDRESS;
	if (f->type == DNS_TYPE_ANY)
		f->type = s->rrs[first_of_kinds(s, zone, KIND_ADDRESS, KIND_ADDRESS)].type;
	n = count_answers(f);
	f->verdict = n != 0 ? DNS_LOCAL_ANSWER : DNS_LOCAL_NODATA;
	if (n > 1)
		prefer_near(f, who);
}

/* A zone that is answered here alone has a SOA and a NS record of its own: RFC 6303 §3. */
static void
decide_at_top(struct dns_local_found *f)
{
	f->kind = KIND_RULE;
	if (f->type == DNS_TYPE_ANY)
		f->type = DNS_TYPE_SOA;
	f->verdict = f->type == DNS_TYPE_SOA || f->type == DNS_TYPE_NS ? DNS_LOCAL_ANSWER
								       : DNS_LOCAL_NODATA;
}

/* Types that are asked of top-level domains by those who check signatures. */
static bool
is_of_delegation(uint16_t type)
{
	return type == DNS_TYPE_NS || type == DNS_TYPE_SOA || type == DNS_TYPE_DS ||
	    type == DNS_TYPE_DNSKEY;
}

/* No rule holds but perhaps the one about plain names. */
static void
decide_without_rule(struct dns_local_found *f, const struct local_walk *w)
{
	f->verdict = DNS_LOCAL_NOT_OURS;
	f->names_below = w->exact && w->node != LOCAL_ROOT;
	if (w->labels != 1 || f->set->opts.forward_plain || is_of_delegation(f->type))
		return;
	f->rule = WHY_PLAIN;
	f->verdict = DNS_LOCAL_NODATA;
	if (!f->names_below) {
		f->verdict = DNS_LOCAL_NXDOMAIN;
		f->zone = dns_name_parent(f->name);	/* the root */
	}
	f->names_below = false;
}

static void
decide_by_rule(struct dns_local_found *f, const struct local_walk *w,
    const struct dns_local_asker *who)
{
	uint32_t zone = w->zone;

	f->rule = find_rule(f->set, zone);
	switch ((enum local_rule)f->set->nodes[zone].rule) {
	case RULE_NONE:
		f->rule = WHY_NONE;
		decide_without_rule(f, w);
		break;
	case RULE_FORWARD:
		f->verdict = DNS_LOCAL_NOT_OURS;
		f->names_below = w->exact;
		break;
	case RULE_SPECIAL:
	case RULE_ONLY:
		if (w->exact && w->node == zone)
			decide_at_top(f);
		else
			f->verdict = w->exact ? DNS_LOCAL_NODATA : DNS_LOCAL_NXDOMAIN;
		break;
	case RULE_NO_NAMES:
		f->verdict = w->exact && w->node != zone ? DNS_LOCAL_NODATA : DNS_LOCAL_NXDOMAIN;
		break;
	case RULE_ADDRESS:
		decide_by_address(f, zone, who);
		break;
	}
}

/* --- a chain ---------------------------------------------------------------------------------- */

/* Decide about f->name. */
static enum step
look_up(struct dns_local_found *f, const struct dns_local_asker *who)
{
	static const uint8_t star[] = { '*' };
	const struct dns_local *s = f->set;
	struct local_walk w;

	local_walk(s, f->name, &w);

	const struct local_node *n = &s->nodes[w.node];
	enum local_rule rule = (enum local_rule)s->nodes[w.zone].rule;
	bool own_zone = rule != RULE_NONE && rule != RULE_FORWARD;

	f->zone = own_zone ? span_of(f->name.at + w.zone_at, f->name.len - w.zone_at) : f->name;
	if (w.exact && (n->flags & NODE_DATA) != 0)
		return decide_by_records(f, w.node, who);
	if (!w.exact && (n->flags & NODE_STAR) != 0)
		return decide_by_records(f, local_child(s, w.node, span_of(star, 1)), who);
	decide_by_rule(f, &w, who);
	return STEP_DONE;
}

enum dns_local_verdict
dns_local_find(const struct dns_local *s, struct span name, uint16_t type,
    const struct dns_local_asker *who, struct dns_local_found *out)
{
	struct dns_local_found *f = out;

	f->set = s;
	f->name = name;
	f->type = type;
	f->aliases = 0;
	f->names_below = false;
	f->rule = WHY_NONE;
	f->near.family = AF_UNSPEC;
	f->on_host = who == NULL || who->addr == NULL || addr_is_loopback(who->addr);
	while (look_up(f, who) == STEP_ALIAS) {
		f->name = local_rdata(s, &s->rrs[f->alias[f->aliases - 1]]);
		f->names_below = false;
	}
	if (f->verdict == DNS_LOCAL_NOT_OURS && f->aliases != 0) {
		f->verdict = DNS_LOCAL_CNAME_OUT;
		f->target = f->name;
	}
	return f->verdict;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
write_soa(const struct dns_local_found *f, struct dns_wr *w, enum dns_section section)
{
	dns_wr_soa(w, section, f->zone, f->set->opts.negative_ttl);
}

static void
write_answers(const struct dns_local_found *f, struct dns_wr *w)
{
	const struct dns_local *s = f->set;
	struct dns_name target;

	for (uint32_t i = s->nodes[f->node].first; i != LOCAL_NONE; i = s->rrs[i].next) {
		const struct local_rr *rr = &s->rrs[i];
		struct span rdata = local_rdata(s, rr);

		if (!answers(f, rr) || (f->near.family != AF_UNSPEC && !is_near(&f->near, rdata)))
			continue;
		if (rr->kind == KIND_PTR) {
			local_name(s, rr->data, &target);
			rdata = dns_name_span(&target);
		}
		dns_wr_record(w, DNS_SECTION_ANSWER, f->name, rr->type, DNS_CLASS_IN, rr->ttl,
		    rdata);
	}
}

static void
write_top(const struct dns_local_found *f, struct dns_wr *w)
{
	if (f->type == DNS_TYPE_SOA)
		write_soa(f, w, DNS_SECTION_ANSWER);
	else
		dns_wr_record(w, DNS_SECTION_ANSWER, f->zone, DNS_TYPE_NS, DNS_CLASS_IN,
		    f->set->opts.ttl, f->zone);
}

void
dns_local_write(const struct dns_local_found *f, struct dns_wr *w)
{
	const struct dns_local *s = f->set;
	struct span owner = dns_query_name(w->q);

	for (unsigned i = 0; i < f->aliases; i++) {
		const struct local_rr *rr = &s->rrs[f->alias[i]];

		dns_wr_record(w, DNS_SECTION_ANSWER, owner, DNS_TYPE_CNAME, DNS_CLASS_IN, rr->ttl,
		    local_rdata(s, rr));
		owner = local_rdata(s, rr);
	}
	switch (f->verdict) {
	case DNS_LOCAL_ANSWER:
		if (f->kind == KIND_RULE)
			write_top(f, w);
		else
			write_answers(f, w);
		break;
	case DNS_LOCAL_NODATA:
	case DNS_LOCAL_NXDOMAIN:
		write_soa(f, w, DNS_SECTION_AUTHORITY);
		break;
	case DNS_LOCAL_NOT_OURS:
	case DNS_LOCAL_CNAME_OUT:
	case DNS_LOCAL_LOOP:
		break;
	}
}

uint16_t
dns_local_rcode(const struct dns_local_found *f)
{
	if (f->verdict == DNS_LOCAL_LOOP)
		return DNS_SERVFAIL;
	return f->verdict == DNS_LOCAL_NXDOMAIN ? DNS_NXDOMAIN : DNS_NOERROR;
}

/* --- explaining ------------------------------------------------------------------------------- */

static void
explain_rule(const struct dns_local *s, uint32_t rule, char *buf, size_t cap)
{
	if (rule == WHY_PLAIN) {
		snprintf(buf, cap, "plain name");
	} else if (rule == WHY_NONE || s->rrs[rule].source >= s->source_count) {
		snprintf(buf, cap, "no rule");
	} else {
		const struct local_rr *rr = &s->rrs[rule];

		if (rr->line != 0)
			snprintf(buf, cap, "%s:%u", s->sources[rr->source], rr->line);
		else
			snprintf(buf, cap, "%s", s->sources[rr->source]);
	}
}

const char *
dns_local_explain(const struct dns_local_found *f, char *buf, size_t cap)
{
	size_t at = 0;

	for (unsigned i = 0; i < f->aliases; i++) {
		explain_rule(f->set, f->alias[i], buf + at, cap - at);
		at += strlen(buf + at);
		if (cap - at > 8) {
			strcpy(buf + at, ", then ");
			at += 7;
		}
	}
	explain_rule(f->set, f->rule, buf + at, cap - at);
	return buf;
}
