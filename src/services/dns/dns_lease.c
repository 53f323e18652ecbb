/* SPDX-License-Identifier: MIT */
/*
 * The set of leases: which format a text has, how it grows, and what of it holds now.
 *
 * Parsers append every entry they find, ended ones too: in a file that its server appends to, the
 * end of a lease is an entry like any other, and only dns_lease_settle() knows which was the last.
 */
#include "services/dns/dns_lease.h"

#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_lease_parse.h"
#include "util/addr.h"
#include "util/seal.h"
#include "util/text.h"

#define NAME_MAX_BYTES 253

void
dns_leases_fini(struct dns_leases *ls)
{
	free(ls->v);
	free(ls->text);
	*ls = (struct dns_leases){ 0 };
}

/* --- growing ---------------------------------------------------------------------------------- */

static enum err
make_room(struct dns_leases *ls, size_t name_len)
{
	if (ls->count == ls->cap) {
		size_t cap = ls->cap != 0 ? ls->cap * 2 : 64;
		struct dns_lease *v = realloc(ls->v, cap * sizeof(*v));

		if (v == NULL)
			return ERR_NOMEM;
		ls->v = v;
		ls->cap = cap;
	}
	if (ls->text_cap - ls->text_len < name_len) {
		size_t cap = ls->text_cap != 0 ? ls->text_cap * 2 : 4096;
		uint8_t *text = realloc(ls->text, cap);

		if (text == NULL)
			return ERR_NOMEM;
		ls->text = text;
		ls->text_cap = cap;
	}
	return OK;
}

void
dns_lease_bad(struct dns_leases *ls, uint32_t line)
{
	ls->bad++;
	if (ls->bad_line == 0)
		ls->bad_line = line;
}

static uint64_t
client_hash(struct span client)
{
	static const uint8_t key[SEAL_SHORT_KEY_BYTES];

	/* A fixed key will do: at worst two clients pass for one. */
	return seal_short_hash(client, key);
}

enum err
dns_lease_add(struct dns_leases *ls, const struct dns_lease_entry *e)
{
	struct dns_lease l = { .source = e->source, .line = e->line, .expires = e->expires };
	struct span name = e->name;

	l.addr_len = (uint8_t)addr_parse_bytes(l.addr, e->addr);
	if (l.addr_len == 0) {
		dns_lease_bad(ls, e->line);
		return OK;
	}
	if (ls->count == DNS_LEASES_MAX) {
		ls->dropped++;
		return OK;
	}
	if (name.len != 0 && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len > NAME_MAX_BYTES || text_is(name, "*") || text_is(name, "-"))
		name.len = 0;
	if (make_room(ls, name.len) != OK)
		return ERR_NOMEM;
	l.client = client_hash(e->client);
	l.name_at = (uint32_t)ls->text_len;
	l.name_len = (uint8_t)name.len;
	for (size_t i = 0; i < name.len; i++)
		ls->text[ls->text_len++] = ascii_lower(name.at[i]);
	ls->v[ls->count++] = l;
	return OK;
}

bool
dns_lease_time(struct span text, int64_t *out)
{
	uint64_t v;

	if (!text_u64(text, &v) || v > INT64_MAX)
		return false;
	*out = (int64_t)v;
	return true;
}

/* --- which server wrote it? ------------------------------------------------------------------- */

static bool
is_isc(struct span line)
{
	static const char *const words[] = { "lease", "ia-na", "ia-ta", "ia-pd", "server-duid",
		"authoring-byte-order", "failover", "host", "group", "subgroup", "class",
		"default-duid" };
	struct span word = text_next_word(&line);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_is(word, words[i]))
			return true;
	return false;
}

static bool
is_dnsmasq(struct span line)
{
	struct span first = text_next_word(&line);
	uint8_t addr[16];
	uint64_t number;

	if (text_is(first, "duid"))
		return true;
	(void)text_next_word(&line);
	return text_u64(first, &number) && addr_parse_bytes(addr, text_next_word(&line)) != 0;
}

enum dns_lease_format
dns_lease_recognise(struct span text)
{
	enum dns_lease_format f = DNS_LEASE_EMPTY;
	struct span rest = text_after_mark(text);
	struct span line;

	while (text_next_line(&rest, &line)) {
		line = text_trim(line);
		if (line.len == 0)
			continue;
		if (line.at[0] == '{')
			return DNS_LEASE_NETWORKD;
		if (text_begins(line, "address,"))
			return DNS_LEASE_KEA;
		if (dns_lease_is_odhcpd(line))
			return DNS_LEASE_ODHCPD;
		if (line.at[0] == '#')
			continue;
		if (is_isc(line))
			return DNS_LEASE_ISC;
		if (is_dnsmasq(line))
			return DNS_LEASE_DNSMASQ;
		f = DNS_LEASE_UNKNOWN;	/* unless a later line tells, as behind odhcpd's hosts */
	}
	return f;
}

const char *
dns_lease_format_name(enum dns_lease_format f)
{
	switch (f) {
	case DNS_LEASE_UNKNOWN:
		return "unknown";
	case DNS_LEASE_EMPTY:
		return "empty";
	case DNS_LEASE_DNSMASQ:
		return "dnsmasq";
	case DNS_LEASE_KEA:
		return "Kea";
	case DNS_LEASE_ISC:
		return "ISC dhcpd";
	case DNS_LEASE_ODHCPD:
		return "odhcpd";
	case DNS_LEASE_NETWORKD:
		return "networkd";
	}
	return "unknown";
}

enum err
dns_lease_parse(struct dns_leases *ls, struct span text, uint16_t source)
{
	text = text_after_mark(text);
	ls->bad_line = 0;
	switch (dns_lease_recognise(text)) {
	case DNS_LEASE_UNKNOWN:
		return ERR_UNSUPPORTED;
	case DNS_LEASE_EMPTY:
		return OK;
	case DNS_LEASE_DNSMASQ:
		return dns_lease_parse_dnsmasq(ls, text, source);
	case DNS_LEASE_KEA:
		return dns_lease_parse_kea(ls, text, source);
	case DNS_LEASE_ISC:
		return dns_lease_parse_isc(ls, text, source);
	case DNS_LEASE_ODHCPD:
		return dns_lease_parse_odhcpd(ls, text, source);
	case DNS_LEASE_NETWORKD:
		return dns_lease_parse_networkd(ls, text, source);
	}
	return ERR_UNSUPPORTED;
}

/* --- what holds now? -------------------------------------------------------------------------- */

/*
 * Order in the file is order in memory, and qsort() is not stable: `line` breaks ties within a
 * source and the sources are compared before it. Kea's parts are sources of their own, in order.
 */
static int
compare_place(const struct dns_lease *a, const struct dns_lease *b)
{
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

static int
by_address(const void *x, const void *y)
{
	const struct dns_lease *a = x;
	const struct dns_lease *b = y;
	int order = a->addr_len != b->addr_len ? (int)a->addr_len - (int)b->addr_len
					       : memcmp(a->addr, b->addr, a->addr_len);

	return order != 0 ? order : compare_place(a, b);
}

static int
compare_claim(const struct dns_leases *ls, const struct dns_lease *a, const struct dns_lease *b)
{
	if (a->addr_len != b->addr_len)
		return (int)a->addr_len - (int)b->addr_len;
	if (a->name_len != b->name_len)
		return (int)a->name_len - (int)b->name_len;
	return memcmp(ls->text + a->name_at, ls->text + b->name_at, a->name_len);
}

/* Names together, by family; the claim that wins comes first. */
static int
by_claim(const void *x, const void *y, void *ctx)
{
	const struct dns_lease *a = x;
	const struct dns_lease *b = y;
	int order = compare_claim(ctx, a, b);

	if (order != 0)
		return order;
	if (a->expires != b->expires)
		return a->expires > b->expires ? -1 : 1;
	order = compare_place(b, a);
	return order != 0 ? order : memcmp(a->addr, b->addr, a->addr_len);
}

/* Keep the last entry of each address, and of those what is in force and has a name. */
static void
keep_current(struct dns_leases *ls, int64_t now)
{
	size_t kept = 0;

	if (ls->count != 0)
		qsort(ls->v, ls->count, sizeof(*ls->v), by_address);
	for (size_t i = 0; i < ls->count; i++) {
		const struct dns_lease *l = &ls->v[i];
		const struct dns_lease *next = i + 1 < ls->count ? l + 1 : NULL;
		bool last = next == NULL || next->addr_len != l->addr_len ||
		    memcmp(next->addr, l->addr, l->addr_len) != 0;

		if (last && l->name_len != 0 && l->expires > now)
			ls->v[kept++] = *l;
	}
	ls->count = kept;
}

static void
keep_winners(struct dns_leases *ls)
{
	size_t kept = 0;
	struct dns_lease winner = { 0 };

	if (ls->count != 0)
		qsort_r(ls->v, ls->count, sizeof(*ls->v), by_claim, ls);
	for (size_t i = 0; i < ls->count; i++) {
		struct dns_lease l = ls->v[i];

		if (i == 0 || compare_claim(ls, &winner, &l) != 0)
			winner = l;
		else if (l.addr_len == 4 || l.client != winner.client)
			continue;
		ls->v[kept++] = l;
	}
	ls->count = kept;
}

int64_t
dns_lease_settle(struct dns_leases *ls, int64_t now)
{
	int64_t next = DNS_LEASE_FOREVER;

	keep_current(ls, now);
	keep_winners(ls);
	for (size_t i = 0; i < ls->count; i++)
		if (ls->v[i].expires < next)
			next = ls->v[i].expires;
	return next;
}
