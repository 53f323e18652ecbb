/* SPDX-License-Identifier: MIT */
/* A table of settings like the real ones, with each type and kind of section once. */
#ifndef TESTS_SUPPORT_CONF_TABLE_H
#define TESTS_SUPPORT_CONF_TABLE_H

#include "core/conf.h"

#include <string.h>

static const char *
check_record(const char *value)
{
	return strchr(value, ' ') != NULL ? NULL : "a record has several words";
}

static const char *const levels[] = { "err", "warning", "notice", "info", "debug", NULL };

static const struct conf_key log_keys[] = {
	{ .name = "level", .type = CONF_ENUM, .value = "info", .choices = levels,
	    .help = "what is written" },
	{ 0 }
};

static const struct conf_key route_keys[] = {
	{ .name = "upstream", .type = CONF_ADDR, .flags = CONF_LIST, .port = 53,
	    .help = "servers of this domain" },
	{ .name = "timeout", .type = CONF_DURATION, .value = "1.8s", .min = 1000, .max = 60000000 },
	{ 0 }
};

static const struct conf_key mdns_keys[] = {
	{ .name = "hostname", .type = CONF_STRING, .value = "hearth", .min = 1, .max = 63,
	    .help = "name of this box" },
	{ 0 }
};

static const struct conf_key dns_keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_RESTART,
	    .value = "0.0.0.0:53, [::]:53", .port = 53, .help = "where queries come in" },
	{ .name = "cache-size", .type = CONF_SIZE, .value = "32MiB", .min = 65536,
	    .max = INT64_C(64) << 30, .help = "memory for answers" },
	{ .name = "stale", .type = CONF_BOOL, .value = "true", .help = "answer from what was" },
	{ .name = "workers", .type = CONF_INT, .value = "4", .min = 1, .max = 64 },
	{ .name = "offset", .type = CONF_INT },
	{ .name = "timeout", .type = CONF_DURATION, .value = "1.8s", .min = 1000, .max = 60000000 },
	{ .name = "record", .type = CONF_STRING, .flags = CONF_LIST, .check = check_record },
	{ .name = "bind", .type = CONF_ADDR, .port = 5300 },
	{ .name = "route", .type = CONF_SECTION, .flags = CONF_TITLED, .keys = route_keys,
	    .help = "who answers for a domain" },
	{ .name = "mdns", .type = CONF_SECTION, .keys = mdns_keys },
	{ 0 }
};

static const struct conf_key conf_table[] = {
	{ .name = "user", .type = CONF_STRING, .flags = CONF_EMPTY, .help = "who to run as" },
	{ .name = "log", .type = CONF_SECTION, .keys = log_keys, .help = "what is said" },
	{ .name = "dns", .type = CONF_SECTION, .keys = dns_keys, .help = "the forwarder" },
	{ 0 }
};

#endif
