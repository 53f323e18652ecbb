/* SPDX-License-Identifier: MIT */
/* Settings of lists: the keys, their checks, and their form for the filter. */
#include "services/dns/dns_lists_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/mac.h"

static const char *const actions[] = { "nxdomain", "nodata", "zero", "address", "allow", NULL };
static const char *const matches[] = { "subdomains", "exact", NULL };

enum { MATCH_SUBDOMAINS, MATCH_EXACT };

/* --- checks of single values ------------------------------------------------------------------ */

static const char *
check_file(const char *value)
{
	return value[0] == '/' ? NULL : "write the whole path, beginning with /";
}

/* A line of a list; what the reader of lists says is wrong with it is said here. */
static const char *
check_line(const char *value)
{
	struct dns_listfile *f = malloc(sizeof(*f));
	struct dns_list_builder *b = NULL;
	const char *why = "no memory";

	if (strchr(value, '\n') != NULL) {
		why = "one name each";
	} else if (f != NULL && dns_list_builder_new(&b, 1) == OK) {
		dns_listfile_begin(f, b, 0, false);
		if (dns_listfile_feed(f, span_str(value)) == OK && dns_listfile_end(f) == OK)
			why = f->stats.nfindings != 0		     ? f->stats.finding[0].why
			    : f->stats.names + f->stats.patterns == 0 ? "not a name"
								     : NULL;
	}
	dns_list_builder_free(b);
	free(f);
	return why;
}

const char *
dns_lists_check_name(const char *value)
{
	struct dns_name n;

	if (dns_name_parse_typed(&n, span_str(value)) != OK || dns_name_is_root(dns_name_span(&n)))
		return DNS_NAME_WRONG;
	return NULL;
}

static const char *
check_address(const char *value)
{
	struct addr a;

	return addr_parse(&a, value, 0) == OK && addr_port(&a) == 0 ? NULL : "an address is wanted";
}

static const char *
check_client(const char *value)
{
	struct prefix p;
	uint8_t mac[MAC_BYTES];

	return prefix_parse(&p, value) == OK || mac_parse(mac, value) ? NULL
	    : "an address, a network or a MAC address is wanted";
}

const struct conf_key dns_lists_block_keys[] = {
	{ .name = "file", .type = CONF_STRING, .flags = CONF_LIST | CONF_FILE, .check = check_file,
	    .count_max = LISTS_FILES_MAX,
	    .help = "lists of names: hosts files, plain names or adblock rules; followed while "
	    "they change" },
	{ .name = "names", .type = CONF_STRING, .flags = CONF_LIST, .check = check_line,
	    .help = "more names, as they could stand in a list: \"ads.example\", \"||zip^\", "
		    "\"@@||fine.example^\", \"/^ad[0-9]/\"" },
	{ .name = "match", .type = CONF_ENUM, .value = "subdomains", .choices = matches,
	    .help = "whether hosts lines and plain names stand for all names below them, too" },
	{ .name = "action", .type = CONF_ENUM, .value = "nxdomain", .choices = actions,
	    .help = "what is answered: no such name, no data, 0.0.0.0 and ::, the `address`; or "
		    "\"allow\": these names are never blocked" },
	{ .name = "address", .type = CONF_STRING, .flags = CONF_LIST, .check = check_address,
	    .count_max = DNS_FILTER_ADDRS_MAX,
	    .help = "addresses for the action \"address\"" },
	{ .name = "clients", .type = CONF_STRING, .flags = CONF_LIST, .check = check_client,
	    .count_max = LISTS_CLIENTS_MAX,
	    .help = "only for these addresses, networks and MAC addresses (of devices that are "
		    "directly connected); none: for all" },
	{ .name = "schedule", .type = CONF_STRING, .flags = CONF_LIST, .check = dns_schedule_check,
	    .count_max = LISTS_TIMES_MAX,
	    .help = "only at these times: \"mon-fri 21:00-06:00\", \"sat,sun\"; none: always" },
	{ 0 },
};

/* --- inputs of a set -------------------------------------------------------------------------- */

static void
free_texts(char **texts, size_t count)
{
	for (size_t i = 0; texts != NULL && i < count; i++)
		free(texts[i]);
	free(texts);
}

void
lists_inputs_drop(struct lists_inputs *in)
{
	if (in == NULL || --in->holders != 0)
		return;
	free_texts(in->files, in->file_count);
	free_texts(in->names, in->name_count);
	free(in);
}

static bool
copy_texts(char ***to, size_t *count, const struct conf *cf, const char *key)
{
	size_t n = conf_count(cf, key);

	*to = calloc(n + 1, sizeof(**to));
	if (*to == NULL)
		return false;
	for (; *count < n; ++*count) {
		(*to)[*count] = strdup(conf_str_at(cf, key, *count));
		if ((*to)[*count] == NULL)
			return false;
	}
	return true;
}

static struct lists_inputs *
read_inputs(const struct conf *cf, uint32_t names_max)
{
	struct lists_inputs *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->holders = 1;
	in->exact = conf_enum(cf, "match") == MATCH_EXACT;
	in->names_max = names_max;
	if (copy_texts(&in->files, &in->file_count, cf, "file") &&
	    copy_texts(&in->names, &in->name_count, cf, "names"))
		return in;
	lists_inputs_drop(in);
	return NULL;
}

static bool
equal_texts(char **a, size_t na, char **b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool
lists_inputs_equal(const struct lists_inputs *a, const struct lists_inputs *b)
{
	return a->exact == b->exact && a->names_max == b->names_max &&
	    equal_texts(a->files, a->file_count, b->files, b->file_count) &&
	    equal_texts(a->names, a->name_count, b->names, b->name_count);
}

/* --- blocks ----------------------------------------------------------------------------------- */

const char *
dns_lists_check_block(const struct conf *cf, size_t i)
{
	const struct conf *block = conf_section(cf, "block", i);
	bool wanted = conf_enum(block, "action") == DNS_FILTER_ADDRESS;
	bool there = conf_count(block, "address") != 0;

	if (conf_count(block, "file") == 0 && conf_count(block, "names") == 0)
		return "the block has neither files nor names: file = { \"/etc/hearth/ads.txt\" }";
	if (wanted && !there)
		return "the action \"address\" needs one: address = { \"192.168.1.7\" }";
	if (there && !wanted)
		return "address is of use with action = \"address\" only";
	return NULL;
}

/* How a source is called in reasons that clients see: not by the whole path. */
static const char *
short_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Fill in what the values say. They parse: each was checked when the file was read. */
static enum err
fill_block(struct lists_block_settings *s, const struct conf *cf)
{
	struct dns_filter_block *b = &s->block;
	enum err e = OK;

	*b = (struct dns_filter_block){ .title = conf_title(cf),
		.action = (enum dns_filter_action)conf_enum(cf, "action"), .addrs = s->addrs,
		.addr_count = conf_count(cf, "address"), .clients = s->clients,
		.macs = s->macs, .times = s->times,
		.time_count = conf_count(cf, "schedule"), .sources = s->sources };
	for (size_t i = 0; i < b->addr_count && e == OK; i++)
		e = addr_parse(&s->addrs[i], conf_str_at(cf, "address", i), 0);
	for (size_t i = 0; i < conf_count(cf, "clients") && e == OK; i++) {
		const char *client = conf_str_at(cf, "clients", i);

		if (mac_parse(s->macs[b->mac_count].bytes, client))
			b->mac_count++;
		else
			e = prefix_parse(&s->clients[b->client_count++], client);
	}
	for (size_t i = 0; i < b->time_count && e == OK; i++)
		e = dns_schedule_parse(&s->times[i], conf_str_at(cf, "schedule", i));
	for (size_t i = 0; i < s->in->file_count; i++)
		s->sources[b->source_count++] = short_name(s->in->files[i]);
	s->sources[b->source_count++] = "settings";
	return e;
}

static enum err
read_block(struct lists_settings *out, const struct conf *cf, uint32_t names_max)
{
	struct lists_block_settings *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NOMEM;
	out->blocks[out->count++] = s;
	s->in = read_inputs(cf, names_max);
	return s->in != NULL ? fill_block(s, cf) : ERR_NOMEM;
}

enum err
dns_lists_read_names(struct dns_list **out, const struct conf *cf, const char *key,
    enum dns_list_kind kind, const uint8_t hash_key[static SEAL_SHORT_KEY_BYTES])
{
	struct dns_list_rule rule = { .kind = kind };
	struct dns_list_builder *b;
	enum err e = dns_list_builder_new(&b, DNS_LIST_NAMES_MAX);

	if (e != OK)
		return e;
	for (size_t i = 0; i < conf_count(cf, key) && e == OK; i++) {
		struct dns_name n;

		e = dns_name_parse(&n, span_str(conf_str_at(cf, key, i)));
		if (e != OK)
			break;
		if (dns_name_is_root(dns_name_span(&n)))
			continue;
		dns_name_lower(n.wire, dns_name_span(&n));
		e = dns_list_add(b, rule, dns_name_span(&n));
	}
	if (e == OK)
		e = dns_list_finish(out, b, hash_key);
	dns_list_builder_free(b);
	return e;
}

enum err
lists_settings_read(struct lists_settings *out, const struct dns_lists_env *env,
    const struct conf *cf)
{
	uint32_t names_max = (uint32_t)conf_int(cf, "block-names-max");
	enum err e = OK;

	*out = (struct lists_settings){ .rebind = conf_bool(cf, "rebind-protection") };
	assert(conf_count(cf, "block") <= DNS_FILTER_BLOCKS_MAX);	/* count_max of the key */
	for (size_t i = 0; i < conf_count(cf, "block") && e == OK; i++)
		e = read_block(out, conf_section(cf, "block", i), names_max);
	if (e == OK)
		e = dns_lists_read_names(&out->allowed, cf, "allow-names", DNS_LIST_ALLOW,
		    env->key);
	if (e == OK)
		e = dns_lists_read_names(&out->exempt, cf, "rebind-allow", DNS_LIST_ALLOW,
		    env->key);
	return e;
}

void
lists_settings_fini(struct lists_settings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		lists_inputs_drop(s->blocks[i]->in);
		free(s->blocks[i]);
	}
	dns_list_free(s->allowed);
	dns_list_free(s->exempt);
	*s = (struct lists_settings){ 0 };
}
