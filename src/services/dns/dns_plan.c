/* SPDX-License-Identifier: MIT */
/*
 * Local names in the settings. Values are parsed once, in the loop's thread, to items; a pool
 * thread puts the items into a set as often as a file changes. Each item knows where it stands.
 */
#include "services/dns/dns_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/dns/dns_record.h"
#include "services/dns/dns_token.h"
#include "util/addr.h"
#include "util/text.h"

#define WHERE_MAX 512	/* bytes of conf_where() */

enum item_kind {
	ITEM_RECORD,
	ITEM_ADDRESS,
	ITEM_LOCAL,
	ITEM_FORWARD,
};

struct item {
	enum item_kind kind;
	struct dns_name name;
	uint16_t type;		/* of a record */
	uint32_t ttl;
	uint8_t *data;		/* rdata, or the address */
	uint16_t len;
	char *where;
};

struct dns_plan {
	unsigned keepers;
	char **hosts;
	char **leases;
	size_t host_count, lease_count;
	struct item *items;
	size_t item_count, item_cap;
	struct dns_local_options opts;
	struct dns_name domain;
};

/* --- one value -------------------------------------------------------------------------------- */

/* "#" is every name there is, as in dnsmasq. */
static const char *
read_name(struct dns_name *out, struct span text)
{
	enum err e = dns_name_parse_typed(out, text_is(text, "#") ? span_str(".") : text);

	if (e == ERR_RANGE)
		return "name is too long";
	if (e != OK)
		return DNS_NAME_WRONG;
	if (out->wire[0] == 1 && out->wire[1] == '*')
		return "a name stands for all below it already: leave out the \"*.\"";
	return NULL;
}

const char *
dns_plan_check_zone(const char *value)
{
	struct dns_name name;

	return read_name(&name, span_str(value));
}

const char *
dns_plan_check_domain(const char *value)
{
	return value[0] == '\0' ? NULL : dns_plan_check_zone(value);
}

const char *
dns_plan_check_record(const char *value)
{
	struct dns_record r;
	const char *why = NULL;

	if (dns_record_parse(&r, span_str(value), &why) != OK)
		return why;
	/* A zone file would put its zone behind it, and so would its author's eye. */
	return !r.plain ? NULL : "names are whole here, nothing is put behind them: "
	    "\"nas.home.arpa\"; where \"nas\" alone is meant, \"nas.\"";
}

/* The owner of a record as it is written, without its last dot. */
static struct span
written_owner(const char *value)
{
	struct span rest = span_str(value);
	struct dns_token t;

	if (!dns_token_next(&rest, &t))
		return rest;
	if (t.raw.len > 1 && t.raw.at[t.raw.len - 1] == '.')
		t.raw.len--;
	return t.raw;
}

/* RFC 1034 §3.6.2: a CNAME stands alone. The second one of two is told. */
const char *
dns_plan_check_alone(const struct conf *cf, size_t i)
{
	struct span owner = written_owner(conf_str_at(cf, "record", i));
	struct dns_record r, other;
	const char *why;

	if (dns_record_parse(&r, span_str(conf_str_at(cf, "record", i)), &why) != OK ||
	    r.type != DNS_TYPE_CNAME)
		return NULL;
	for (size_t k = 0; k < conf_count(cf, "record"); k++) {
		const char *value = conf_str_at(cf, "record", k);

		if (k == i || !span_equal_nocase(owner, written_owner(value)) ||
		    dns_record_parse(&other, span_str(value), &why) != OK)
			continue;
		if (other.type != DNS_TYPE_CNAME)
			return "a CNAME stands alone, and this name has other records as well";
		if (k < i && !span_equal(dns_record_data(&r), dns_record_data(&other)))
			return "a name has one CNAME, and this one has another before";
	}
	return NULL;
}

/* A value of `address` in its parts: "/NAME/NAME/WHAT". */
struct address_value {
	struct span names;	/* the names with slashes between them */
	struct span what;	/* address, "#" or nothing */
};

static const char *
split_address(struct address_value *out, const char *value)
{
	static const char wrong[] = "must look like \"/NAME/ADDRESS\", \"/NAME/\" or \"/NAME/#\"";
	const char *last = strrchr(value, '/');

	if (value[0] != '/' || last == value || last[-1] == '/')
		return wrong;
	out->names = span_of(value + 1, (size_t)(last - value - 1));
	out->what = span_str(last + 1);
	return NULL;
}

const char *
dns_plan_check_address(const char *value)
{
	struct address_value v;
	struct dns_name name;
	uint8_t addr[16];
	const char *wrong = split_address(&v, value);

	if (wrong == NULL && v.what.len != 0 && !text_is(v.what, "#") &&
	    addr_parse_bytes(addr, v.what) == 0)
		wrong = "what follows the last \"/\" is not an address";
	do {
		if (wrong == NULL)
			wrong = read_name(&name, text_next_field(&v.names, '/'));
	} while (wrong == NULL && v.names.len != 0);
	return wrong;
}

/* --- items ------------------------------------------------------------------------------------ */

/* Append an item; the data are copied. NULL: no memory. */
static struct item *
add_item(struct dns_plan *p, enum item_kind kind, struct span name, struct span data,
    const char *where)
{
	struct item *it;

	if (p->item_count == p->item_cap) {
		size_t cap = p->item_cap != 0 ? p->item_cap * 2 : 16;
		struct item *items = realloc(p->items, cap * sizeof(*items));

		if (items == NULL)
			return NULL;
		p->items = items;
		p->item_cap = cap;
	}
	it = &p->items[p->item_count];
	*it = (struct item){ .kind = kind, .len = (uint16_t)data.len };
	dns_name_copy(&it->name, name);
	it->where = strdup(where);
	it->data = malloc(data.len != 0 ? data.len : 1);
	if (it->where == NULL || it->data == NULL) {
		free(it->where);
		free(it->data);
		return NULL;
	}
	if (data.len != 0)
		memcpy(it->data, data.at, data.len);
	p->item_count++;
	return it;
}

/* One name of an `address`: none, one or both addresses. */
static bool
add_address(struct dns_plan *p, const struct dns_name *name, struct span what, const char *where)
{
	static const uint8_t zero[16];
	struct span zone = dns_name_span(name);
	uint8_t addr[16];

	if (text_is(what, "#"))
		return add_item(p, ITEM_ADDRESS, zone, span_of(zero, 4), where) != NULL &&
		    add_item(p, ITEM_ADDRESS, zone, span_of(zero, 16), where) != NULL;
	return add_item(p, ITEM_ADDRESS, zone, span_of(addr, addr_parse_bytes(addr, what)),
	    where) != NULL;
}

static bool
read_address(struct dns_plan *p, const char *value, const char *where)
{
	struct address_value v;
	struct dns_name name;

	if (split_address(&v, value) != NULL)
		return true;
	do {
		if (read_name(&name, text_next_field(&v.names, '/')) == NULL &&
		    !add_address(p, &name, v.what, where))
			return false;
	} while (v.names.len != 0);
	return true;
}

static bool
read_record(struct dns_plan *p, const char *value, const char *where)
{
	struct dns_record r;
	const char *why;
	struct item *it;

	if (dns_record_parse(&r, span_str(value), &why) != OK)
		return true;
	it = add_item(p, ITEM_RECORD, dns_name_span(&r.owner), dns_record_data(&r), where);
	if (it == NULL)
		return false;
	it->type = r.type;
	it->ttl = r.has_ttl ? r.ttl_s : DNS_LOCAL_TTL_OF_SET;
	return true;
}

static bool
read_zone(struct dns_plan *p, const char *value, const char *where)
{
	struct dns_name name;

	return read_name(&name, span_str(value)) != NULL ||
	    add_item(p, ITEM_LOCAL, dns_name_span(&name), span_of(NULL, 0), where) != NULL;
}

/* --- a section -------------------------------------------------------------------------------- */

/* Hand each value of a list to a reader. False where one had no memory. */
static bool
each_value(struct dns_plan *p, const struct conf *cf, const char *key,
    bool (*read)(struct dns_plan *p, const char *value, const char *where))
{
	char where[WHERE_MAX];

	for (size_t i = 0; i < conf_count(cf, key); i++)
		if (!read(p, conf_str_at(cf, key, i), conf_where(cf, key, i, where, sizeof(where))))
			return false;
	return true;
}

static bool
read_paths(const struct conf *cf, const char *key, char ***out, size_t *count)
{
	size_t n = conf_count(cf, key);

	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return false;
	for (; *count < n; (*count)++) {
		(*out)[*count] = strdup(conf_str_at(cf, key, *count));
		if ((*out)[*count] == NULL)
			return false;
	}
	return true;
}

static void
read_options(struct dns_plan *p, const struct conf *cf)
{
	const char *domain = conf_str(cf, "domain");

	p->opts = (struct dns_local_options){
		.ttl = (uint32_t)(conf_duration(cf, "local-ttl") / seconds(1)),
		.negative_ttl = (uint32_t)(conf_duration(cf, "local-negative-ttl") / seconds(1)),
		.forward_plain = conf_bool(cf, "forward-plain"),
		.forward_special = conf_bool(cf, "forward-special"),
		.all_addresses = !conf_bool(cf, "localise"),
		.firefox_canary = conf_bool(cf, "firefox-canary"),
		.icloud_canary = conf_bool(cf, "icloud-canary"),
	};
	if (domain[0] != '\0' && read_name(&p->domain, span_str(domain)) == NULL)
		p->opts.domain = dns_name_span(&p->domain);
}

enum err
dns_plan_new(struct dns_plan **out, const struct conf *cf)
{
	struct dns_plan *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	p->keepers = 1;
	read_options(p, cf);
	if (!read_paths(cf, "hosts", &p->hosts, &p->host_count) ||
	    !read_paths(cf, "leases", &p->leases, &p->lease_count) ||
	    !each_value(p, cf, "record", read_record) ||
	    !each_value(p, cf, "local", read_zone) || !each_value(p, cf, "address", read_address)) {
		dns_plan_drop(p);
		return ERR_NOMEM;
	}
	*out = p;
	return OK;
}

enum err
dns_plan_forward(struct dns_plan *p, struct span zone, const char *where)
{
	return add_item(p, ITEM_FORWARD, zone, span_of(NULL, 0), where) != NULL ? OK : ERR_NOMEM;
}

struct dns_plan *
dns_plan_take(struct dns_plan *p)
{
	p->keepers++;
	return p;
}

static void
free_paths(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

void
dns_plan_drop(struct dns_plan *p)
{
	if (p == NULL || --p->keepers != 0)
		return;
	for (size_t i = 0; i < p->item_count; i++) {
		free(p->items[i].where);
		free(p->items[i].data);
	}
	free(p->items);
	free_paths(p->hosts, p->host_count);
	free_paths(p->leases, p->lease_count);
	free(p);
}

size_t
dns_plan_hosts(const struct dns_plan *p, const char *const **paths)
{
	*paths = (const char *const *)p->hosts;
	return p->host_count;
}

size_t
dns_plan_leases(const struct dns_plan *p, const char *const **paths)
{
	*paths = (const char *const *)p->leases;
	return p->lease_count;
}

enum err
dns_plan_begin(const struct dns_plan *p, struct dns_local **out,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	enum err e = dns_local_new(out, &p->opts, key);

	for (size_t i = 0; e == OK && i < p->item_count; i++) {
		const struct item *it = &p->items[i];
		struct dns_local_origin from = { .source = dns_local_source(*out, it->where) };
		struct span name = dns_name_span(&it->name);
		struct span data = span_of(it->data, it->len);

		switch (it->kind) {
		case ITEM_RECORD:
			dns_local_add_record(*out, name, it->type, it->ttl, data, from);
			break;
		case ITEM_ADDRESS:
			dns_local_add_address(*out, name, data, from);
			break;
		case ITEM_LOCAL:
			dns_local_add_zone(*out, name, DNS_LOCAL_ONLY, from);
			break;
		case ITEM_FORWARD:
			dns_local_add_zone(*out, name, DNS_LOCAL_FORWARD, from);
			break;
		}
	}
	return e;
}
