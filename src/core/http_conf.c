/* SPDX-License-Identifier: MIT */
/* The settings of the page, the same whether it is built in or not. */
#include "core/http.h"

#include <string.h>

#include "core/acl.h"

static const char *
check_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

	return len != 0 && name[len] == '\0' ? NULL
	    : "a host name: letters, digits, hyphens and dots";
}

const struct conf_key http_keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN | CONF_RESTART,
	    .value = "127.0.0.1:8053", .port = HTTP_PORT, .help = "addresses to answer on" },
	{ .name = "allow", .type = CONF_STRING, .flags = CONF_LIST, .value = "local",
	    .check = acl_check,
	    .help = "who may look: networks, \"local\" (directly connected and private) or "
	    "\"any\"" },
	{ .name = "names", .type = CONF_STRING, .flags = CONF_LIST, .check = check_name,
	    .help = "names under which it may be asked for, beside addresses, names without a dot "
	    "and those below local, home.arpa and internal" },
	{ 0 },
};
