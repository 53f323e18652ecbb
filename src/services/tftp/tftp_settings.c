/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/service.h"

#define WINDOW_BYTES_MAX (1024 * 1024)
#define MTU_USUAL 1500		/* where the interface does not say */
#define HEADERS_IPV4 32		/* bytes: IP 20, UDP 8, TFTP 4 */
#define HEADERS_IPV6 52		/* bytes: IP 40, UDP 8, TFTP 4 */

static const char *
check_match(const char *value)
{
	struct tftp_match m;

	return tftp_match_parse(&m, value) == OK ? NULL
						 : "want an address, a network or a MAC address";
}

/* "ephemeral", "single" or "FIRST-LAST". */
static bool
parse_ports(const char *value, enum tftp_ports *ports, uint16_t *first, uint16_t *last)
{
	unsigned a, b;
	int used = 0;

	*first = *last = 0;
	*ports = TFTP_PORTS_EPHEMERAL;
	if (strcmp(value, "ephemeral") == 0)
		return true;
	*ports = TFTP_PORTS_SINGLE;
	if (strcmp(value, "single") == 0)
		return true;
	*ports = TFTP_PORTS_RANGE;
	if (sscanf(value, "%5u-%5u%n", &a, &b, &used) != 2 || value[used] != '\0' || a == 0 ||
	    a > b || b > UINT16_MAX)
		return false;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}

static const char *
check_ports(const char *value)
{
	enum tftp_ports ports;
	uint16_t first, last;

	return parse_ports(value, &ports, &first, &last)
	    ? NULL : "want \"ephemeral\", \"single\" or a range like \"40000-40100\"";
}

/* A block size, or 0. What is below the least one was raised to it without a word. */
static const char *
check_blksize(const char *value)
{
	unsigned long n = strtoul(value, NULL, 10);

	return n == 0 || n >= TFTP_BLKSIZE_MIN ? NULL : "a block has at least 8 bytes (RFC 2348)";
}

static const char *
check_rule(const struct conf *cf, size_t i)
{
	const struct conf *rule = conf_section(cf, "map", i);

	if (!conf_bool(rule, "deny") && !conf_given(rule, "to"))
		return "the rule does nothing: it needs to = '…' or deny = true";
	if (conf_bool(rule, "deny") && conf_given(rule, "to"))
		return "the rule refuses, so its to is never used";
	return NULL;
}

static const char *
check_to(const struct conf *cf, size_t i)
{
	return tftp_map_check_to(conf_title(cf), conf_str_at(cf, "to", i));
}

static const char *const unique_choices[] = { "off", "mac", "address", NULL };

static const struct conf_key map_keys[] = {
	{ .name = "to", .type = CONF_STRING, .value = "", .check_with = check_to,
	  .help = "what takes the place of the part of the name that matched, which is \\0; \\1 to "
	      "\\9 are its parts in ( ), ${ip}, ${mac} and ${server} the client and the address "
	      "it asked; write it in single quotes" },
	{ .name = "deny", .type = CONF_BOOL, .value = "false",
	  .help = "refuse the request instead" },
	{ .name = "final", .type = CONF_BOOL, .value = "false",
	  .help = "no further rule is looked at after this one" },
	{ .name = "ignore-case", .type = CONF_BOOL, .value = "false",
	  .help = "letter case of the name does not matter" },
	{ .name = "clients", .type = CONF_STRING, .flags = CONF_LIST, .check = check_match,
	  .count_max = TFTP_MAP_CLIENTS_MAX,
	  .help = "addresses, networks and MAC addresses that the rule is for; none: everybody" },
	{ 0 } };

static const struct conf_key client_keys[] = {
	{ .name = "root", .type = CONF_STRING, .flags = CONF_FOLDER | CONF_EARLY, .value = "",
	  .help = "a folder that is looked into before the common root" },
	{ .name = "blksize-max", .type = CONF_INT, .value = "0", .max = TFTP_BLKSIZE_MAX,
	  .check = check_blksize,
	  .help = "largest block size for these clients; 0: as for everybody" },
	{ .name = "windowsize-max", .type = CONF_INT, .value = "0", .max = TFTP_WINDOW_MAX,
	  .help = "largest window for these clients; 0: as for everybody" },
	{ .name = "options", .type = CONF_BOOL, .value = "true",
	  .help = "false: treat their requests as if they asked for no option" },
	{ 0 } };

const struct conf_key tftp_keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN | CONF_RESTART,
	  .port = 69, .value = "0.0.0.0:69, [::]:69", .help = "addresses to take requests at" },
	{ .name = "allow", .type = CONF_STRING, .flags = CONF_LIST, .value = "local",
	  .check = acl_check,
	  .help = "who may ask: networks, \"local\" (directly connected and private), \"any\"; "
	      "nobody else gets an answer" },
	{ .name = "root", .type = CONF_STRING, .flags = CONF_FOLDER | CONF_EARLY,
	  .value = "/srv/tftp",
	  .help = "the folder whose files are served; names are relative to it; no name and no "
	      "symlink leads out; a file NAME.tmpl is sent as NAME, with ${ip}, ${mac} and "
	      "${server} filled in" },
	{ .name = "unique-root", .type = CONF_ENUM, .choices = unique_choices, .value = "off",
	  .help = "look first in the folder of the root that is called like the client's MAC "
	      "address (52-54-00-12-34-56) or address" },
	{ .name = "ignore-case", .type = CONF_BOOL, .value = "true",
	  .help = "where no file has the exact name, one that differs in letter case will do" },
	{ .name = "upload-dir", .type = CONF_STRING, .value = "",
	  .flags = CONF_FOLDER | CONF_WRITTEN | CONF_EARLY,
	  .help = "the folder that uploads go to; empty: read only; it may be the root" },
	{ .name = "overwrite", .type = CONF_BOOL, .value = "false",
	  .help = "an upload may replace a file; the old one stays until the new one is whole" },
	{ .name = "upload-max", .type = CONF_SIZE, .value = "1GiB", .min = 1,
	  .max = INT64_C(1) << 50, .not_above = "upload-quota",
	  .help = "longest file that is taken" },
	{ .name = "upload-quota", .type = CONF_SIZE, .value = "0", .max = INT64_C(1) << 50,
	  .help = "all files in the upload folder together; 0: no limit" },
	{ .name = "upload-client-quota", .type = CONF_SIZE, .value = "0", .max = INT64_C(1) << 50,
	  .not_above = "upload-quota",
	  .help = "what one address may upload in 24 hours; 0: no limit" },
	{ .name = "upload-reserve", .type = CONF_SIZE, .value = "64MiB", .max = INT64_C(1) << 50,
	  .help = "what stays free on the file system" },
	{ .name = "port-mode", .type = CONF_STRING, .flags = CONF_RESTART, .value = "ephemeral",
	  .check = check_ports,
	  .help = "ports of the transfers: \"ephemeral\" as in RFC 1350, \"single\" for the "
	      "listening port (NAT, containers), or a range like \"40000-40100\"" },
	{ .name = "blksize-max", .type = CONF_INT, .value = "0", .max = TFTP_BLKSIZE_MAX,
	  .check = check_blksize,
	  .help = "largest block size; 0: what the interface carries in one piece" },
	{ .name = "windowsize-max", .type = CONF_INT, .value = "64", .min = 1,
	  .max = TFTP_WINDOW_MAX, .help = "largest window, in blocks (RFC 7440)" },
	{ .name = "rto-initial", .type = CONF_DURATION, .value = "1s", .min = 100000,
	  .max = 5000000,
	  .not_above = "rto-max",
	  .help = "time-out before a round trip was measured" },
	{ .name = "rto-min", .type = CONF_DURATION, .value = "200ms", .min = 5000, .max = 1000000,
	  .not_above = "rto-initial",
	  .help = "shortest time-out in lock-step; below 100ms some boot ROMs (Raspberry Pi 4) "
	      "may hang on a repeated block" },
	{ .name = "rto-max", .type = CONF_DURATION, .value = "5s", .min = 1000000, .max = 255000000,
	  .not_above = "idle-timeout",
	  .help = "longest time-out where the client asked for none" },
	{ .name = "strict-timeout", .type = CONF_BOOL, .value = "false",
	  .help = "wait out the timeout that a client asked for; nothing is sent again earlier" },
	{ .name = "idle-timeout", .type = CONF_DURATION, .value = "2m", .min = 10000000,
	  .max = 3600000000, .help = "a transfer without progress ends after this time" },
	{ .name = "sessions-max", .type = CONF_INT, .value = "1024", .min = 1, .max = 65536,
	  .help = "transfers at once" },
	{ .name = "client-sessions-max", .type = CONF_INT, .value = "256", .min = 1, .max = 65536,
	  .not_above = "sessions-max",
	  .help = "transfers at once of one address" },
	{ .name = "gso", .type = CONF_BOOL, .value = "true",
	  .help = "send a window with one system call (UDP_SEGMENT) where the kernel can" },
	{ .name = "hash", .type = CONF_BOOL, .value = "true",
	  .help = "log the BLAKE2b hash of each file; computed once per file and change" },
	{ .name = "map", .type = CONF_SECTION, .flags = CONF_TITLED, .keys = map_keys,
	  .check = tftp_map_check, .check_with = check_rule, .count_max = TFTP_MAP_RULES_MAX,
	  .help = "a rule that rewrites names: its title is a POSIX extended regular "
	      "expression; rules are tried in order; hearthctl tftp map shows what they do" },
	{ .name = "client", .type = CONF_SECTION, .flags = CONF_TITLED, .keys = client_keys,
	  .check = check_match, .count_max = TFTP_ROOTS_MAX - 1,
	  .help = "settings of some clients: the title is an address, a network or a MAC "
	      "address" },
	{ 0 } };

static void
read_timing(struct tftp_settings *set, const struct conf *cf)
{
	usec initial = conf_duration(cf, "rto-initial"), least = conf_duration(cf, "rto-min");

	set->timing = (struct tftp_timing){ .rto_initial = initial,
		.rto_min = least < initial ? least : initial,
		.rto_max = conf_duration(cf, "rto-max"),
		.probe_min = millis(20), .patience = seconds(60),
		.idle_max = conf_duration(cf, "idle-timeout"), .dally = seconds(3), .tries = 6,
		.unproven_sends = TFTP_UNPROVEN_SENDS,
		.strict = conf_bool(cf, "strict-timeout") };
}

static enum err
read_client(struct tftp_settings *set, struct service *sv, const struct conf *cf)
{
	struct tftp_special sp = { .blksize_max = (unsigned)conf_int(cf, "blksize-max"),
		.windowsize_max = (unsigned)conf_int(cf, "windowsize-max"),
		.no_options = !conf_bool(cf, "options") };
	size_t at = set->special_count;

	if (tftp_match_parse(&sp.match, conf_title(cf)) != OK) {
		service_complain(sv, cf, "root", 0,
		    "\"%s\" is no address, network or MAC address", conf_title(cf));
		return ERR_FORMAT;
	}
	if (set->special_count == TFTP_ROOTS_MAX)
		return ERR_FULL;
	set->needs_mac |= sp.match.kind == TFTP_MATCH_MAC;
	while (at > 0 && tftp_match_rank(&set->specials[at - 1].match) < tftp_match_rank(&sp.match))
		at--;
	memmove(&set->specials[at + 1], &set->specials[at],
	    (set->special_count - at) * sizeof(sp));
	set->specials[at] = sp;
	set->special_count++;
	return *conf_str(cf, "root") != '\0'
	    ? tftp_store_add(set->store, &sp.match, conf_str(cf, "root")) : OK;
}

/* Say where the root stands that cannot be opened: in the section itself, or in a client's. */
static void
complain_root(struct service *sv, const struct conf *cf, const char *path)
{
	const struct conf *at = cf;
	int saved = errno;

	for (size_t i = 0; i < conf_count(cf, "client"); i++)
		if (strcmp(conf_str(conf_section(cf, "client", i), "root"), path) == 0)
			at = conf_section(cf, "client", i);
	service_complain(sv, at, "root", 0, "cannot open the folder %s: %s", path, strerror(saved));
}

static enum err
read_store(struct tftp_settings *set, struct service *sv, const struct conf *cf)
{
	size_t bad = 0;
	enum err e = OK;

	set->store = calloc(1, sizeof(*set->store));
	if (set->store == NULL)
		return ERR_NOMEM;
	set->store->nocase = conf_bool(cf, "ignore-case");
	set->store->unique = (enum tftp_unique)conf_enum(cf, "unique-root");
	set->needs_mac |= set->store->unique == TFTP_UNIQUE_MAC;
	for (size_t i = 0; e == OK && i < conf_count(cf, "client"); i++)
		e = read_client(set, sv, conf_section(cf, "client", i));
	if (e == OK)
		e = tftp_store_add(set->store, NULL, conf_str(cf, "root"));
	if (e != OK)
		return e;
	e = tftp_store_open(set->store, &bad);
	if (e != OK)
		complain_root(sv, cf, set->store->roots[bad].path);
	return e;
}

struct rules {
	struct tftp_map_rule rule[TFTP_MAP_RULES_MAX];
	struct tftp_match clients[TFTP_MAP_RULES_MAX][TFTP_MAP_CLIENTS_MAX];
};

static enum err
read_rule(struct tftp_settings *set, struct rules *all, size_t i, const struct conf *cf)
{
	struct tftp_map_rule *rule = &all->rule[i];

	*rule = (struct tftp_map_rule){ .pattern = conf_title(cf),
		.to = conf_bool(cf, "deny") ? NULL : conf_str(cf, "to"),
		.final = conf_bool(cf, "final"), .nocase = conf_bool(cf, "ignore-case"),
		.clients = all->clients[i], .client_count = conf_count(cf, "clients") };
	if (rule->client_count > TFTP_MAP_CLIENTS_MAX)
		return ERR_FULL;
	set->needs_mac |= rule->to != NULL && strstr(rule->to, "${mac}") != NULL;
	for (size_t c = 0; c < rule->client_count; c++) {
		struct tftp_match *m = &all->clients[i][c];
		enum err e = tftp_match_parse(m, conf_str_at(cf, "clients", c));

		if (e != OK)
			return e;
		set->needs_mac |= m->kind == TFTP_MATCH_MAC;
	}
	return OK;
}

static enum err
read_map(struct tftp_settings *set, struct service *sv, const struct conf *cf)
{
	size_t count = conf_count(cf, "map"), bad = 0;
	struct rules *all = calloc(1, sizeof(*all));
	enum err e = all == NULL ? ERR_NOMEM : count > TFTP_MAP_RULES_MAX ? ERR_FULL : OK;

	for (size_t i = 0; e == OK && i < count; i++) {
		e = read_rule(set, all, i, conf_section(cf, "map", i));
		bad = i;
	}
	if (e == OK)
		e = tftp_map_new(&set->map, all->rule, count, &bad);
	if (e == ERR_FORMAT)
		service_complain(sv, conf_section(cf, "map", bad), "to", 0,
		    "\"%s\" is no regular expression", all->rule[bad].pattern);
	free(all);
	return e;
}

static enum err
read_uploads(struct tftp_settings *set, struct service *sv, const struct conf *cf)
{
	const char *path = conf_str(cf, "upload-dir");

	if (*path == '\0')
		return OK;

	enum err e = tftp_inbox_new(&set->inbox, path);

	if (e != OK) {
		service_complain(sv, cf, "upload-dir", 0, "cannot open the folder %s: %s", path,
		    e == ERR_SYS ? strerror(errno) : err_text(e));
		return e;
	}
	set->inbox->overwrite = conf_bool(cf, "overwrite");
	set->inbox->size_max = conf_size(cf, "upload-max");
	set->inbox->quota = conf_size(cf, "upload-quota");
	set->inbox->reserve = conf_size(cf, "upload-reserve");
	set->client_quota = conf_size(cf, "upload-client-quota");
	return OK;
}

enum err
tftp_settings_new(struct tftp_settings **out, struct service *sv, const struct conf *cf)
{
	struct tftp_settings *set = calloc(1, sizeof(*set));
	enum err e;

	if (set == NULL)
		return ERR_NOMEM;
	set->refs = 1;
	set->blksize_max = (unsigned)conf_int(cf, "blksize-max");
	set->windowsize_max = (unsigned)conf_int(cf, "windowsize-max");
	set->sessions_max = (unsigned)conf_int(cf, "sessions-max");
	set->client_sessions_max = (unsigned)conf_int(cf, "client-sessions-max");
	set->gso = conf_bool(cf, "gso");
	set->hash = conf_bool(cf, "hash");
	/* The key's check has seen the value. */
	(void)parse_ports(conf_str(cf, "port-mode"), &set->ports, &set->port_first,
	    &set->port_last);
	read_timing(set, cf);
	e = acl_init(&set->acl, cf, "allow");
	if (e == OK)
		e = read_store(set, sv, cf);
	if (e == OK)
		e = read_map(set, sv, cf);
	if (e == OK)
		e = read_uploads(set, sv, cf);
	if (e != OK) {
		tftp_settings_unref(set);
		return e;
	}
	*out = set;
	return OK;
}

struct tftp_settings *
tftp_settings_ref(struct tftp_settings *set)
{
	set->refs++;
	return set;
}

void
tftp_settings_unref(struct tftp_settings *set)
{
	if (set == NULL || --set->refs != 0)
		return;
	acl_fini(&set->acl);
	tftp_store_free(set->store);
	tftp_map_free(set->map);
	tftp_inbox_free(set->inbox);
	free(set);
}

struct tftp_limits
tftp_settings_limits(const struct tftp_settings *set, const struct tftp_client *who, unsigned mtu)
{
	unsigned headers = who->peer.sa.sa_family == AF_INET6 ? HEADERS_IPV6 : HEADERS_IPV4;
	struct tftp_limits lim = { .blksize_max = set->blksize_max,
		.windowsize_max = set->windowsize_max, .window_bytes_max = WINDOW_BYTES_MAX };

	if (mtu < headers + TFTP_BLKSIZE_DEFAULT)
		mtu = MTU_USUAL;
	if (lim.blksize_max == 0)
		lim.blksize_max = mtu - headers;
	for (size_t i = 0; i < set->special_count; i++) {
		const struct tftp_special *sp = &set->specials[i];

		if (!tftp_match_is(&sp->match, who))
			continue;
		if (sp->blksize_max != 0)
			lim.blksize_max = sp->blksize_max;
		if (sp->windowsize_max != 0)
			lim.windowsize_max = sp->windowsize_max;
		lim.no_options = sp->no_options;
		break;
	}
	if (lim.blksize_max > TFTP_BLKSIZE_MAX)
		lim.blksize_max = TFTP_BLKSIZE_MAX;
	if (lim.blksize_max < TFTP_BLKSIZE_MIN)
		lim.blksize_max = TFTP_BLKSIZE_MIN;
	return lim;
}
