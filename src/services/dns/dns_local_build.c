/* SPDX-License-Identifier: MIT */
/*
 * Building a set of local names. Names are put in lower case on the way in; whoever comes first has
 * the better right: records of the settings, then hosts files, then leases.
 */
#include "services/dns/dns_local_impl.h"

#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_hosts.h"
#include "util/text.h"

enum err
dns_local_new(struct dns_local **out, const struct dns_local_options *opts,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	static const uint8_t root[] = { 0 };
	struct dns_local *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	s->opts = *opts;
	if (opts->ttl == 0)
		s->opts.ttl = DNS_LOCAL_TTL;
	if (opts->negative_ttl == 0)
		s->opts.negative_ttl = DNS_LOCAL_NEGATIVE_TTL;
	if (opts->domain.len > 1) {
		dns_name_lower(s->domain.wire, opts->domain);
		s->domain.len = (uint8_t)opts->domain.len;
	}
	s->opts.domain = dns_name_span(&s->domain);
	memcpy(s->key, key, sizeof(s->key));
	if (local_intern(s, span_of(root, 1)) == LOCAL_NONE) {
		dns_local_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return OK;
}

void
dns_local_free(struct dns_local *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->source_count; i++)
		free(s->sources[i]);
	free(s->sources);
	free(s->slots);
	free(s->bytes);
	free(s->rrs);
	free(s->nodes);
	free(s);
}

uint16_t
dns_local_source(struct dns_local *s, const char *text)
{
	char *copy;

	if (s->source_count != 0 && strcmp(s->sources[s->source_count - 1], text) == 0)
		return (uint16_t)(s->source_count - 1);
	if (s->source_count == DNS_LOCAL_SOURCES_MAX)
		return DNS_LOCAL_SOURCES_MAX - 1;
	if (s->source_count == s->source_cap) {
		size_t cap = s->source_cap != 0 ? s->source_cap * 2 : 16;
		char **sources = realloc(s->sources, cap * sizeof(*sources));

		if (sources == NULL) {
			s->failed = true;
			return 0;
		}
		s->sources = sources;
		s->source_cap = cap;
	}
	copy = strdup(text);
	if (copy == NULL) {
		s->failed = true;
		return 0;
	}
	s->sources[s->source_count] = copy;
	return (uint16_t)s->source_count++;
}

/* --- one record ------------------------------------------------------------------------------- */

static uint32_t
intern(struct dns_local *s, struct span name)
{
	struct dns_name lower;

	dns_name_lower(lower.wire, name);
	return local_intern(s, span_of(lower.wire, name.len));
}

static void
mark_data(struct dns_local *s, uint32_t node)
{
	struct local_node *n = &s->nodes[node];
	struct span label = local_label(s, n);

	if ((n->flags & NODE_DATA) == 0)
		s->stats.names++;
	n->flags |= NODE_DATA;
	if (node != LOCAL_ROOT && label.len == 1 && label.at[0] == '*')
		s->nodes[n->parent].flags |= NODE_STAR;
}

/* Add to a node that may be new. False where it is not told or was not possible. */
static bool
add_data(struct dns_local *s, uint32_t node, const struct local_rr *rr, struct span data)
{
	if (node == LOCAL_NONE || local_append(s, node, rr, data) == LOCAL_NONE)
		return false;
	s->stats.records++;
	s->told += rr->kind != KIND_PTR;
	mark_data(s, node);
	return true;
}

static bool
is_full(struct dns_local *s)
{
	if (s->told < DNS_LOCAL_RECORDS_MAX)
		return false;
	s->stats.dropped++;
	return true;
}

static uint16_t
address_type(struct span addr)
{
	return addr.len == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
}

static struct local_rr
address_rr(const struct dns_local *s, struct span addr, enum local_rank rank,
    struct dns_local_origin from)
{
	return (struct local_rr){ .kind = KIND_DATA, .type = address_type(addr),
		.ttl = s->opts.ttl, .source = from.source, .line = from.line,
		.rank = (uint8_t)rank };
}

/* --- addresses and their names ---------------------------------------------------------------- */

static uint8_t
hex_digit(unsigned v)
{
	return (uint8_t)"0123456789abcdef"[v & 15];
}

void
local_reverse(struct dns_name *out, struct span addr)
{
	static const uint8_t v4[] = "\7in-addr\4arpa";
	static const uint8_t v6[] = "\3ip6\4arpa";
	struct wire_wr wr = wire_wr_of(out->wire, sizeof(out->wire));

	for (size_t i = addr.len; i-- > 0;) {
		uint8_t b = addr.at[i];

		if (addr.len == 4) {
			uint8_t digits = b >= 100 ? 3 : b >= 10 ? 2 : 1;

			wire_wr_u8(&wr, digits);
			if (digits == 3)
				wire_wr_u8(&wr, hex_digit(b / 100));
			if (digits >= 2)
				wire_wr_u8(&wr, hex_digit(b / 10 % 10));
			wire_wr_u8(&wr, hex_digit(b % 10));
		} else {
			wire_wr_u8(&wr, 1);
			wire_wr_u8(&wr, hex_digit(b));
			wire_wr_u8(&wr, 1);
			wire_wr_u8(&wr, hex_digit(b >> 4));
		}
	}
	wire_wr_bytes(&wr, addr.len == 4 ? span_of(v4, sizeof(v4)) : span_of(v6, sizeof(v6)));
	out->len = (uint8_t)wire_wr_len(&wr);
}

static bool
is_unspecified(struct span addr)
{
	static const uint8_t zero[16];

	return memcmp(addr.at, zero, addr.len) == 0;
}

static bool
has_type(const struct dns_local *s, uint32_t node, uint16_t type)
{
	for (uint32_t i = s->nodes[node].first; i != LOCAL_NONE; i = s->rrs[i].next)
		if (s->rrs[i].kind <= KIND_PTR && s->rrs[i].type == type)
			return true;
	return false;
}

void
local_add_ptr(struct dns_local *s, struct span addr, uint32_t node, struct dns_local_origin from)
{
	struct local_rr rr = { .kind = KIND_PTR, .type = DNS_TYPE_PTR, .ttl = s->opts.ttl,
		.data = node, .source = from.source, .line = from.line };
	struct dns_name reverse;
	uint32_t at;

	if (is_unspecified(addr))
		return;
	local_reverse(&reverse, addr);
	at = local_intern(s, dns_name_span(&reverse));
	if (at != LOCAL_NONE && !has_type(s, at, DNS_TYPE_PTR))
		(void)add_data(s, at, &rr, span_of(NULL, 0));
}

/* A PTR that was written down takes the place of one that was made up. */
static void
drop_made_ptr(struct dns_local *s, uint32_t node)
{
	uint32_t *link = &s->nodes[node].first;

	while (*link != LOCAL_NONE) {
		struct local_rr *rr = &s->rrs[*link];

		if (rr->kind == KIND_PTR)
			*link = rr->next;
		else
			link = &rr->next;
	}
}

/* --- adding ----------------------------------------------------------------------------------- */

static bool
is_wildcard(struct span name)
{
	return name.at[0] == 1 && name.at[1] == '*';
}

void
dns_local_add_record(struct dns_local *s, struct span owner, uint16_t type, uint32_t ttl,
    struct span rdata, struct dns_local_origin from)
{
	struct local_rr rr = { .kind = KIND_DATA, .type = type, .rank = RANK_RECORD,
		.ttl = ttl != DNS_LOCAL_TTL_OF_SET ? ttl : s->opts.ttl,
		.source = from.source, .line = from.line };
	uint8_t lower[DNS_NAME_MAX];
	uint32_t node;

	if (is_full(s) || (node = intern(s, owner)) == LOCAL_NONE)
		return;
	if (type == DNS_TYPE_PTR)
		drop_made_ptr(s, node);
	if (type == DNS_TYPE_CNAME) {	/* it will be looked up, in lower case as everything is */
		dns_name_lower(lower, rdata);
		rdata.at = lower;
	}
	if (add_data(s, node, &rr, rdata) && (type == DNS_TYPE_A || type == DNS_TYPE_AAAA) &&
	    !is_wildcard(owner))
		local_add_ptr(s, rdata, node, from);
}

/* Put the domain behind a name of one label. False where there is no domain or no room. */
static bool
qualify(const struct dns_local *s, struct dns_name *out, struct span name)
{
	size_t len = name.len - 1 + s->domain.len;

	if (s->domain.len == 0 || dns_name_labels(name) != 1 || len > DNS_NAME_MAX)
		return false;
	memcpy(out->wire, name.at, name.len - 1);
	memcpy(out->wire + name.len - 1, s->domain.wire, s->domain.len);
	out->len = (uint8_t)len;
	return true;
}

void
dns_local_add_host(struct dns_local *s, struct span name, struct span addr, bool canonical,
    struct dns_local_origin from)
{
	static const uint8_t localhost[] = "\11localhost";
	struct local_rr rr = address_rr(s, addr, RANK_HOST, from);
	struct dns_name full;
	uint32_t node;

	/* Known without being told, both addresses, and for every asker: RFC 6761 §6.3. */
	if (dns_name_below(name, span_of(localhost, sizeof(localhost))) || is_full(s))
		return;
	node = intern(s, name);
	(void)add_data(s, node, &rr, addr);
	if (qualify(s, &full, name)) {
		node = intern(s, dns_name_span(&full));
		(void)add_data(s, node, &rr, addr);
	}
	if (canonical && node != LOCAL_NONE)
		local_add_ptr(s, addr, node, from);
}

/* The name that a set made up for an address is that of this node. */
static bool
is_canonical(const struct dns_local *s, struct span addr, uint32_t node)
{
	struct dns_name reverse;
	struct local_walk w;

	local_reverse(&reverse, addr);
	local_walk(s, dns_name_span(&reverse), &w);
	for (uint32_t i = w.exact ? s->nodes[w.node].first : LOCAL_NONE; i != LOCAL_NONE;
	     i = s->rrs[i].next)
		if (s->rrs[i].kind == KIND_PTR && s->rrs[i].data == node)
			return true;
	return false;
}

void
dns_local_add_hosts_of(struct dns_local *s, const struct dns_local *old, uint16_t old_source,
    uint16_t source)
{
	struct dns_name name;

	for (uint32_t node = 0; node < old->node_count; node++) {
		uint32_t i = old->nodes[node].first;

		for (; i != LOCAL_NONE; i = old->rrs[i].next) {
			const struct local_rr *rr = &old->rrs[i];
			struct dns_local_origin from = { .source = source, .line = rr->line };
			struct span addr = local_rdata(old, rr);

			if (rr->kind != KIND_DATA || rr->rank != RANK_HOST ||
			    rr->source != old_source)
				continue;
			local_name(old, node, &name);
			dns_local_add_host(s, dns_name_span(&name), addr,
			    is_canonical(old, addr, node), from);
		}
	}
}

/* --- leases ----------------------------------------------------------------------------------- */

/* Names that other machines trust blindly: whoever gets one of them has got their traffic. */
static bool
is_coveted(struct span label)
{
	static const char *const names[] = { "localhost", "wpad", "isatap" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(label, names[i]))
			return true;
	return false;
}

/* A guest may say which zone it is in only where that zone is ours. */
static bool
in_own_zone(const struct dns_local *s, struct span name)
{
	struct local_walk w;

	local_walk(s, name, &w);
	if (s->nodes[w.zone].rule != RULE_NONE)
		return s->nodes[w.zone].rule == RULE_ONLY;
	return s->domain.len != 0 && dns_name_below(name, dns_name_span(&s->domain));
}

static bool
is_taken(const struct dns_local *s, uint32_t node, uint16_t type)
{
	for (uint32_t i = s->nodes[node].first; i != LOCAL_NONE; i = s->rrs[i].next)
		if (s->rrs[i].kind == KIND_DATA && s->rrs[i].rank < RANK_LEASE &&
		    (s->rrs[i].type == type || s->rrs[i].type == DNS_TYPE_CNAME))
			return true;
	return false;
}

/* Add one name of a lease; gives its node, or LOCAL_NONE where others have it. */
static uint32_t
add_lease_name(struct dns_local *s, struct span name, struct span addr,
    struct dns_local_origin from)
{
	struct local_rr rr = address_rr(s, addr, RANK_LEASE, from);
	uint32_t node = intern(s, name);

	if (node == LOCAL_NONE)
		return LOCAL_NONE;
	if (is_taken(s, node, rr.type)) {
		s->stats.shadowed++;
		return LOCAL_NONE;
	}
	(void)add_data(s, node, &rr, addr);
	return (s->nodes[node].flags & NODE_DATA) != 0 ? node : LOCAL_NONE;
}

/* Cut a name down to its first label. */
static void
first_label(struct dns_name *name)
{
	name->len = (uint8_t)(name->wire[0] + 2);
	name->wire[name->len - 1] = 0;
}

void
dns_local_add_lease(struct dns_local *s, struct span text, struct span addr,
    struct dns_local_origin from)
{
	struct dns_name name, full;
	uint32_t node;

	if (is_full(s))
		return;
	if (dns_hosts_name(&name, text) == NULL)
		dns_name_lower(name.wire, dns_name_span(&name));
	else
		name.len = 0;
	if (name.len == 0 || is_coveted(dns_name_label(dns_name_span(&name)))) {
		s->stats.refused++;
		return;
	}
	full = name;
	first_label(&name);
	/* A name deeper in a zone of ours stays what it is; all others are names in the domain. */
	if (dns_name_labels(dns_name_span(&full)) == 1 || !in_own_zone(s, dns_name_span(&full)))
		full = name;
	if (full.len == name.len)
		(void)qualify(s, &full, dns_name_span(&name));
	if (dns_name_equal(dns_name_parent(dns_name_span(&full)), dns_name_span(&s->domain)))
		(void)add_lease_name(s, dns_name_span(&name), addr, from);
	node = add_lease_name(s, dns_name_span(&full), addr, from);
	if (node != LOCAL_NONE)
		local_add_ptr(s, addr, node, from);
}

/* --- zones ------------------------------------------------------------------------------------ */

void
dns_local_add_address(struct dns_local *s, struct span zone, struct span addr,
    struct dns_local_origin from)
{
	struct local_rr rr = { .kind = KIND_ADDRESS, .ttl = s->opts.ttl, .source = from.source,
		.line = from.line };
	uint32_t node = intern(s, zone);

	if (node == LOCAL_NONE)
		return;
	local_set_rule(s, node, addr.len != 0 ? RULE_ADDRESS : RULE_NO_NAMES, from);
	if (addr.len == 0)
		return;
	rr.type = address_type(addr);
	(void)local_append(s, node, &rr, addr);
}

void
dns_local_add_zone(struct dns_local *s, struct span zone, enum dns_local_zone kind,
    struct dns_local_origin from)
{
	uint32_t node = intern(s, zone);

	if (node != LOCAL_NONE)
		local_set_rule(s, node, kind == DNS_LOCAL_ONLY ? RULE_ONLY : RULE_FORWARD, from);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Give back what growing by doubling left unused. Where that fails nothing is lost. */
static void *
shrink(void *array, size_t *cap, size_t used, size_t size)
{
	void *smaller = used != 0 ? realloc(array, used * size) : NULL;

	if (smaller == NULL)
		return array;
	*cap = used;
	return smaller;
}

enum err
dns_local_finish(struct dns_local *s)
{
	local_add_special(s);
	if (s->failed)
		return ERR_NOMEM;
	s->nodes = shrink(s->nodes, &s->node_cap, s->node_count, sizeof(*s->nodes));
	s->rrs = shrink(s->rrs, &s->rr_cap, s->rr_count, sizeof(*s->rrs));
	s->bytes = shrink(s->bytes, &s->byte_cap, s->byte_count, 1);
	s->stats.bytes = sizeof(*s) + s->node_cap * sizeof(*s->nodes) +
	    s->rr_cap * sizeof(*s->rrs) + s->byte_cap + s->slot_count * sizeof(*s->slots) +
	    s->source_cap * sizeof(*s->sources);
	for (size_t i = 0; i < s->source_count; i++)
		s->stats.bytes += strlen(s->sources[i]) + 1;
	return OK;
}

const struct dns_local_stats *
dns_local_stats(const struct dns_local *s)
{
	return &s->stats;
}
