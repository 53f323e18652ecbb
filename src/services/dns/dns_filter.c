/* SPDX-License-Identifier: MIT */
/*
 * Blocks and their sets. A name is hashed once for all of them (dns_trail.h); a name that no set
 * knows costs a look at one line of memory per set and end of the name.
 *
 * Patterns are tried once per name: what came of it is remembered by the keyed hash of the name, in
 * a table that a newer name overwrites and a new set empties.
 */
#include "services/dns/dns_filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/siphash.h"
#include "util/utf8.h"

#define ANCOUNT	     6		/* where the header counts the answers */
#define MEMO_PLACES  1024
#define MEMO_UNKNOWN (-2)	/* not tried yet; -1: no pattern matches */

struct memo {
	uint64_t hash;
	int16_t pattern[DNS_LIST_KINDS];
};

struct source {
	char *name;
	uint64_t hits;
};

struct block {
	char *title;
	enum dns_filter_action action;
	struct addr addrs[DNS_FILTER_ADDRS_MAX];
	size_t addr_count;
	struct prefix *clients;
	size_t client_count;
	struct dns_filter_mac *macs;
	size_t mac_count;
	struct dns_schedule *times;
	size_t time_count;
	struct source *sources;
	size_t source_count;
	struct dns_list *list;
	struct memo *memo;	/* NULL: the set has no patterns */
	struct dns_filter_stats stats;
};

struct dns_filter {
	struct block blocks[DNS_FILTER_BLOCKS_MAX];
	size_t count;
	struct dns_list *allowed;
	uint32_t everyone;	/* blocks without clients of their own */
	uint32_t by_mac;	/* blocks that name MAC addresses */
	uint32_t allowing;	/* with the action ALLOW */
	uint32_t in_time;
	uint32_t ready;		/* have a set */
	uint32_t patterns;	/* have one with patterns */
	bool tops;		/* some set has names of one label */
	uint8_t key[SEAL_SHORT_KEY_BYTES];
};

/* A name that is being judged. */
struct probe {
	struct dns_trail trail;
	uint64_t hash;		/* of the whole name; patterns only, as the text */
	size_t text_len;
	uint8_t text[DNS_NAME_MAX];
};

/* --- life ------------------------------------------------------------------------------------- */

/* Copy an array; NULL where there is nothing to copy or, with *failed, no memory. */
static void *
copy_array(const void *from, size_t count, size_t size, bool *failed)
{
	void *to;

	if (count == 0)
		return NULL;
	to = malloc(count * size);
	if (to == NULL)
		*failed = true;
	else
		memcpy(to, from, count * size);
	return to;
}

static bool
copy_sources(struct block *b, const struct dns_filter_block *from)
{
	if (from->source_count == 0)
		return true;
	b->sources = calloc(from->source_count, sizeof(*b->sources));
	if (b->sources == NULL)
		return false;
	b->source_count = from->source_count;
	for (size_t i = 0; i < from->source_count; i++) {
		b->sources[i].name = strdup(from->sources[i]);
		if (b->sources[i].name == NULL)
			return false;
	}
	return true;
}

static enum err
copy_block(struct block *b, const struct dns_filter_block *from)
{
	bool failed = false;

	assert(from->addr_count <= DNS_FILTER_ADDRS_MAX &&
	    from->source_count <= DNS_LIST_SOURCES_MAX);
	b->action = from->action;
	b->title = strdup(from->title);
	b->addr_count = from->addr_count;
	if (from->addr_count != 0)
		memcpy(b->addrs, from->addrs, from->addr_count * sizeof(b->addrs[0]));
	b->clients = copy_array(from->clients, from->client_count, sizeof(*b->clients), &failed);
	b->client_count = from->client_count;
	b->macs = copy_array(from->macs, from->mac_count, sizeof(*b->macs), &failed);
	b->mac_count = from->mac_count;
	b->times = copy_array(from->times, from->time_count, sizeof(*b->times), &failed);
	b->time_count = from->time_count;
	return copy_sources(b, from) && b->title != NULL && !failed ? OK : ERR_NOMEM;
}

enum err
dns_filter_new(struct dns_filter **out, const struct dns_filter_block *blocks, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_filter *f = calloc(1, sizeof(*f));
	enum err e = f != NULL ? OK : ERR_NOMEM;

	assert(count <= DNS_FILTER_BLOCKS_MAX);
	if (f == NULL)
		return e;
	memcpy(f->key, key, sizeof(f->key));
	for (; f->count < count && e == OK; f->count++) {
		const struct dns_filter_block *from = &blocks[f->count];
		uint32_t bit = 1u << f->count;

		e = copy_block(&f->blocks[f->count], from);
		f->everyone |= from->client_count + from->mac_count == 0 ? bit : 0;
		f->by_mac |= from->mac_count != 0 ? bit : 0;
		f->allowing |= from->action == DNS_FILTER_ALLOW ? bit : 0;
		f->in_time |= from->time_count == 0 ? bit : 0;
	}
	if (e != OK) {
		dns_filter_free(f);
		return e;
	}
	*out = f;
	return OK;
}

static void
free_block(struct block *b)
{
	for (size_t i = 0; i < b->source_count; i++)
		free(b->sources[i].name);
	free(b->sources);
	free(b->clients);
	free(b->macs);
	free(b->times);
	free(b->title);
	free(b->memo);
	dns_list_free(b->list);
}

void
dns_filter_free(struct dns_filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++)
		free_block(&f->blocks[i]);
	dns_list_free(f->allowed);
	free(f);
}

/* --- sets and times --------------------------------------------------------------------------- */

static void
update_tops(struct dns_filter *f)
{
	f->tops = f->allowed != NULL && dns_list_has_tops(f->allowed);
	for (size_t i = 0; i < f->count; i++)
		f->tops = f->tops ||
		    (f->blocks[i].list != NULL && dns_list_has_tops(f->blocks[i].list));
}

/* Forget what patterns said; without memory for it they are tried each time. */
static void
update_memo(struct block *b)
{
	free(b->memo);
	b->memo = NULL;
	if (b->list != NULL && dns_list_stats(b->list)->patterns != 0)
		b->memo = calloc(MEMO_PLACES, sizeof(*b->memo));
}

struct dns_list *
dns_filter_swap(struct dns_filter *f, size_t i, struct dns_list *l)
{
	struct block *b = &f->blocks[i];
	struct dns_list *before = b->list;
	uint32_t bit = 1u << i;

	b->list = l;
	f->ready = l != NULL ? f->ready | bit : f->ready & ~bit;
	f->patterns &= ~bit;
	if (l != NULL && dns_list_stats(l)->patterns != 0)
		f->patterns |= bit;
	update_memo(b);
	update_tops(f);
	return before;
}

void
dns_filter_move(struct dns_filter *f, size_t i, struct dns_filter *from, size_t j)
{
	struct block *to = &f->blocks[i];
	struct block *was = &from->blocks[j];

	assert(to->list == NULL);
	(void)dns_filter_swap(f, i, dns_filter_swap(from, j, NULL));
	to->stats = was->stats;
	for (size_t k = 0; k < to->source_count && k < was->source_count; k++)
		to->sources[k].hits = was->sources[k].hits;
}

struct dns_list *
dns_filter_swap_allowed(struct dns_filter *f, struct dns_list *l)
{
	struct dns_list *before = f->allowed;

	f->allowed = l;
	update_tops(f);
	return before;
}

void
dns_filter_set_time(struct dns_filter *f, struct dns_moment at)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct block *b = &f->blocks[i];
		bool holds = b->time_count == 0;

		for (size_t k = 0; k < b->time_count; k++)
			holds = holds || dns_schedule_holds(&b->times[k], at);
		f->in_time = holds ? f->in_time | 1u << i : f->in_time & ~(1u << i);
	}
}

bool
dns_filter_has_times(const struct dns_filter *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->blocks[i].time_count != 0)
			return true;
	return false;
}

/* --- asking ----------------------------------------------------------------------------------- */

static const struct prefix *
find_net(const struct block *b, const struct addr *client)
{
	for (size_t i = 0; i < b->client_count; i++)
		if (prefix_match(&b->clients[i], client))
			return &b->clients[i];
	return NULL;
}

static bool
has_mac(const struct block *b, const uint8_t *mac)
{
	for (size_t i = 0; mac != NULL && i < b->mac_count; i++)
		if (memcmp(b->macs[i].bytes, mac, MAC_BYTES) == 0)
			return true;
	return false;
}

bool
dns_filter_is_idle(const struct dns_filter *f)
{
	return (f->ready & f->in_time) == 0;
}

uint32_t
dns_filter_mask(const struct dns_filter *f, const struct dns_filter_client *who)
{
	uint32_t mask = f->ready & f->in_time;

	for (uint32_t some = mask & ~f->everyone; some != 0; some &= some - 1) {
		unsigned i = (unsigned)__builtin_ctz(some);

		if (find_net(&f->blocks[i], who->addr) == NULL && !has_mac(&f->blocks[i], who->mac))
			mask &= ~(1u << i);
	}
	return mask;
}

bool
dns_filter_wants_mac(const struct dns_filter *f, uint32_t mask)
{
	return (f->by_mac & f->ready & f->in_time & ~mask) != 0;
}

const char *
dns_filter_member(const struct dns_filter *f, size_t i, const struct dns_filter_client *who,
    char buf[static ADDR_TEXT_MAX])
{
	const struct block *b = &f->blocks[i];
	const struct prefix *net = find_net(b, who->addr);

	if ((f->everyone >> i & 1) != 0)
		return "everyone";
	if (net != NULL)
		return prefix_format(net, buf);
	return has_mac(b, who->mac) ? mac_format(who->mac, ':', buf) : NULL;
}

static void
prepare(const struct dns_filter *f, struct probe *p, uint32_t mask, struct span lower)
{
	dns_trail_of(&p->trail, lower, f->tops, f->key);
	if ((mask & f->patterns) == 0)
		return;
	p->hash = siphash_of(lower, f->key);
	p->text_len = 0;
	for (size_t at = 0; lower.at[at] != 0; at += (size_t)lower.at[at] + 1) {
		if (p->text_len != 0)
			p->text[p->text_len++] = '.';
		memcpy(p->text + p->text_len, lower.at + at + 1, lower.at[at]);
		p->text_len += lower.at[at];
	}
}

/* The number of the pattern of b that matches, or -1; tried or remembered. */
static int
match_pattern(struct block *b, enum dns_list_kind kind, struct probe *p)
{
	struct memo *m = b->memo != NULL ? &b->memo[p->hash % MEMO_PLACES] : NULL;
	int i;

	if (dns_list_patterns(b->list, kind) == 0)
		return -1;
	if (m != NULL && m->hash != p->hash)
		*m = (struct memo){ .hash = p->hash, .pattern = { MEMO_UNKNOWN, MEMO_UNKNOWN } };
	if (m != NULL && m->pattern[kind] != MEMO_UNKNOWN)
		return m->pattern[kind];
	i = dns_list_find_pattern(b->list, kind, span_of(p->text, p->text_len), &b->stats.gave_up);
	if (m != NULL)
		m->pattern[kind] = (int16_t)i;
	return i;
}

/* The set of the block knows the name. */
static bool
knows(struct dns_filter *f, unsigned i, enum dns_list_kind kind, struct probe *p,
    struct dns_list_match *out)
{
	struct block *b = &f->blocks[i];
	int pattern;

	if (dns_list_find(b->list, kind, &p->trail, out))
		return true;
	if ((f->patterns >> i & 1) == 0)
		return false;
	pattern = match_pattern(b, kind, p);
	if (pattern < 0)
		return false;
	*out = dns_list_pattern(b->list, kind, (unsigned)pattern);
	return true;
}

/* The settings allow the name, or a block that does nothing else. */
static bool
is_allowed(struct dns_filter *f, uint32_t mask, struct probe *p, struct dns_filter_hit *hit)
{
	struct dns_list_match exception;

	hit->allower = DNS_FILTER_BY_SETTINGS;
	if (f->allowed != NULL &&
	    dns_list_find(f->allowed, DNS_LIST_ALLOW, &p->trail, &hit->allowed))
		return true;
	for (mask &= f->allowing; mask != 0; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctz(mask);

		hit->allower = (int)i + 1;
		if (knows(f, i, DNS_LIST_BLOCK, p, &hit->allowed) &&
		    !knows(f, i, DNS_LIST_ALLOW, p, &exception))
			return true;
	}
	hit->allower = 0;
	return false;
}

enum dns_filter_verdict
dns_filter_name(struct dns_filter *f, uint32_t mask, struct span lower, struct dns_filter_hit *hit)
{
	enum dns_filter_verdict verdict = DNS_FILTER_PASS;
	struct probe p;

	prepare(f, &p, mask, lower);
	for (uint32_t rest = mask & ~f->allowing; rest != 0; rest &= rest - 1) {
		unsigned i = (unsigned)__builtin_ctz(rest);
		struct dns_list_match match;

		if (!knows(f, i, DNS_LIST_BLOCK, &p, &match))
			continue;
		*hit = (struct dns_filter_hit){ .block = i, .match = match, .allower = (int)i + 1 };
		verdict = DNS_FILTER_ALLOWED;
		if (!knows(f, i, DNS_LIST_ALLOW, &p, &hit->allowed))
			return is_allowed(f, mask, &p, hit) ? DNS_FILTER_ALLOWED
							    : DNS_FILTER_BLOCKED;
	}
	return verdict;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Where in a record's data a name stands that it leads to; false where there is none. */
static bool
target_of(const struct dns_rr *rr, size_t *at)
{
	switch (rr->type) {
	case DNS_TYPE_CNAME:
	case DNS_TYPE_DNAME:
		*at = 0;
		return true;
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		*at = 2;	/* behind the priority, RFC 9460 §2.2 */
		return true;
	default:
		return false;
	}
}

/* The name asked for is allowed by the settings, or by the set that knows its alias. */
static bool
allows_asked(struct dns_filter *f, uint32_t mask, struct span asked, struct dns_filter_hit *hit)
{
	struct probe p;

	prepare(f, &p, mask, asked);
	if (is_allowed(f, mask, &p, hit))
		return true;
	hit->allower = (int)hit->block + 1;
	return knows(f, hit->block, DNS_LIST_ALLOW, &p, &hit->allowed);
}

enum dns_filter_verdict
dns_filter_answer(struct dns_filter *f, uint32_t mask, struct span asked, struct span msg,
    struct dns_filter_hit *hit)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_begin(&w, msg);
	while (dns_rr_next(&w, &rr) && rr.section == DNS_SECTION_ANSWER) {
		struct wire_rd rd = wire_rd_of(msg);
		struct dns_name to;
		size_t at;

		if (!target_of(&rr, &at))
			continue;
		wire_rd_skip(&rd, (size_t)(rr.rdata.at - msg.at) + at);
		if (!dns_name_expand(&to, &rd) || dns_name_is_root(dns_name_span(&to)))
			continue;
		dns_name_lower(to.wire, dns_name_span(&to));
		if (dns_filter_name(f, mask, dns_name_span(&to), hit) != DNS_FILTER_BLOCKED)
			continue;
		hit->alias = true;
		if (allows_asked(f, mask, asked, hit))
			return DNS_FILTER_ALLOWED;
		hit->allower = 0;
		return DNS_FILTER_BLOCKED;
	}
	return DNS_FILTER_PASS;
}

bool
dns_filter_leads_on(struct span msg, size_t question_len)
{
	size_t head = DNS_HEADER_BYTES + question_len;

	if (msg.len < head + 4 || dns_msg_u16(msg, ANCOUNT) == 0)
		return false;
	/* Where the first record is data of the name asked for, no alias was followed. */
	if (dns_msg_u16(msg, head) != (0xc000 | DNS_HEADER_BYTES))
		return true;
	switch (dns_msg_u16(msg, head + 2)) {
	case DNS_TYPE_CNAME:
	case DNS_TYPE_DNAME:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
	case DNS_TYPE_RRSIG:
		return true;
	default:
		return false;
	}
}

void
dns_filter_count(struct dns_filter *f, const struct dns_filter_hit *hit, bool blocked)
{
	struct block *b = &f->blocks[hit->block];

	if (!blocked) {
		b->stats.allowed++;
		return;
	}
	b->stats.blocked++;
	b->stats.aliases += hit->alias;
	if (hit->match.source < b->source_count)
		b->sources[hit->match.source].hits++;
}

/* --- what is said instead --------------------------------------------------------------------- */

static unsigned
write_addrs(const struct block *b, struct dns_wr *w)
{
	static const uint8_t zero[16];
	bool v6 = w->q->type == DNS_TYPE_AAAA;
	struct span owner = dns_query_name(w->q);
	unsigned written = 0;

	if (!v6 && w->q->type != DNS_TYPE_A)
		return 0;
	if (b->action == DNS_FILTER_ZERO) {
		dns_wr_record(w, DNS_SECTION_ANSWER, owner, w->q->type, DNS_CLASS_IN,
		    DNS_FILTER_TTL, span_of(zero, v6 ? 16 : 4));
		return 1;
	}
	for (size_t i = 0; i < b->addr_count; i++) {
		const uint8_t *bytes;
		size_t len = addr_bytes(&b->addrs[i], &bytes);

		if (len != (v6 ? 16 : 4))
			continue;
		dns_wr_record(w, DNS_SECTION_ANSWER, owner, w->q->type, DNS_CLASS_IN,
		    DNS_FILTER_TTL, span_of(bytes, len));
		written++;
	}
	return written;
}

uint16_t
dns_filter_write(const struct dns_filter *f, const struct dns_filter_hit *hit, struct dns_wr *w)
{
	const struct block *b = &f->blocks[hit->block];

	switch (b->action) {
	case DNS_FILTER_ZERO:
	case DNS_FILTER_ADDRESS:
		if (write_addrs(b, w) != 0)
			return DNS_NOERROR;
		break;
	case DNS_FILTER_NXDOMAIN:
	case DNS_FILTER_NODATA:
	case DNS_FILTER_ALLOW:
		break;
	}
	dns_wr_soa(w, DNS_SECTION_AUTHORITY, dns_query_name(w->q), DNS_FILTER_TTL);
	return b->action == DNS_FILTER_NXDOMAIN ? DNS_NXDOMAIN : DNS_NOERROR;
}

/* A text in the making; what does not fit is left out. */
struct text {
	char *at;
	size_t len;
};

/* Append bytes, those that cannot be shown escaped: patterns and file names hold anything. */
static void
append(struct text *t, struct span bytes)
{
	char piece[UTF8_ESCAPED_MAX];

	while (bytes.len != 0) {
		size_t n = utf8_escape_next(&bytes, piece);

		if (t->len + n >= DNS_FILTER_WHY_MAX)
			break;
		memcpy(t->at + t->len, piece, n);
		t->len += n;
	}
	t->at[t->len] = '\0';
}

static void
append_rule(struct text *t, const struct dns_list_match *m)
{
	char name[DNS_NAME_TEXT_MAX];

	if (m->pattern.len == 0) {
		append(t, span_str(dns_name_format(m->name, name)));
		return;
	}
	append(t, span_str("/"));
	append(t, m->pattern);
	append(t, span_str("/"));
}

/* A rule of a block and the file it is from; `remark` stands in front of that. */
static void
append_match(struct text *t, const struct block *b, const struct dns_list_match *m,
    const char *remark)
{
	append(t, span_str(b->title));
	append(t, span_str(": "));
	append_rule(t, m);
	append(t, span_str(" ("));
	append(t, span_str(remark));
	append(t, span_str(m->source < b->source_count ? b->sources[m->source].name : "?"));
	append(t, span_str(")"));
}

const char *
dns_filter_explain(const struct dns_filter *f, const struct dns_filter_hit *hit,
    char buf[static DNS_FILTER_WHY_MAX])
{
	struct text t = { .at = buf };

	append_match(&t, &f->blocks[hit->block], &hit->match, hit->alias ? "an alias; " : "");
	if (hit->allower == 0)
		return buf;
	append(&t, span_str("; allowed by "));
	if (hit->allower == DNS_FILTER_BY_SETTINGS) {
		append(&t, span_str("allow-names: "));
		append_rule(&t, &hit->allowed);
	} else {
		append_match(&t, &f->blocks[hit->allower - 1], &hit->allowed, "");
	}
	return buf;
}

void
dns_filter_ede(const struct dns_filter *f, const struct dns_filter_hit *hit, struct dns_opt *opt,
    char buf[static DNS_FILTER_WHY_MAX])
{
	opt->has_ede = true;
	opt->ede = f->blocks[hit->block].client_count != 0 ? DNS_EDE_FILTERED : DNS_EDE_BLOCKED;
	opt->ede_text = span_str(dns_filter_explain(f, hit, buf));
}

/* --- looking ---------------------------------------------------------------------------------- */

size_t
dns_filter_count_blocks(const struct dns_filter *f)
{
	return f->count;
}

const char *
dns_filter_title(const struct dns_filter *f, size_t i)
{
	return f->blocks[i].title;
}

const struct dns_filter_stats *
dns_filter_stats(const struct dns_filter *f, size_t i)
{
	return &f->blocks[i].stats;
}

uint64_t
dns_filter_hits(const struct dns_filter *f, size_t i, size_t source)
{
	return source < f->blocks[i].source_count ? f->blocks[i].sources[source].hits : 0;
}

const struct dns_list *
dns_filter_list(const struct dns_filter *f, size_t i)
{
	return f->blocks[i].list;
}
