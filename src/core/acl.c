/* SPDX-License-Identifier: MIT */
/* Access lists: words and prefixes. What is not allowed is refused; there are no exceptions. */
#include "core/acl.h"

#include "core/conf.h"
#include "core/netif.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96	/* ::ffff:0:0/96, RFC 4291 §2.5.5.2 */

/* Read a prefix; one of IPv4 in IPv6 clothes becomes IPv4, as the peers it is for do. */
static enum err
parse(struct prefix *out, const char *value)
{
	enum err e = prefix_parse(out, value);
	struct in6_addr a;

	if (e != OK || out->family != AF_INET6 || out->bits < MAPPED_BITS)
		return e;
	memcpy(&a, out->bytes, sizeof(a));
	if (!IN6_IS_ADDR_V4MAPPED(&a))
		return OK;
	*out = (struct prefix){ .family = AF_INET, .bits = (uint8_t)(out->bits - MAPPED_BITS) };
	memcpy(out->bytes, a.s6_addr + 12, 4);
	return OK;
}

static bool
is_word(const char *value)
{
	return strcmp(value, "local") == 0 || strcmp(value, "any") == 0 ||
	    strcmp(value, "none") == 0;
}

const char *
acl_check(const char *value)
{
	struct prefix p;

	if (is_word(value))
		return NULL;
	switch (parse(&p, value)) {
	case OK:
		return NULL;
	case ERR_RANGE:
		return "more bits than the address has";
	default:
		return "neither an address, a network (192.168.1.0/24), \"local\", \"any\" nor "
		    "\"none\"";
	}
}

static enum err
add(struct acl *a, const char *value)
{
	if (strcmp(value, "local") == 0) {
		a->local = true;
		return OK;
	}
	if (strcmp(value, "any") == 0) {
		a->any = true;
		return OK;
	}
	if (strcmp(value, "none") == 0)
		return OK;
	if (a->count == ACL_PREFIXES_MAX)
		return ERR_FULL;

	enum err e = parse(&a->prefixes[a->count], value);

	if (e == OK)
		a->count++;
	return e;
}

enum err
acl_init(struct acl *a, const struct conf *cf, const char *key)
{
	size_t n = conf_count(cf, key);
	size_t room = n < ACL_PREFIXES_MAX ? n : ACL_PREFIXES_MAX;
	enum err e = OK;

	*a = (struct acl){ .local = n == 0 };
	if (n == 0)
		return OK;
	a->prefixes = calloc(room, sizeof(*a->prefixes));
	if (a->prefixes == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n && e == OK; i++)
		e = add(a, conf_str_at(cf, key, i));
	if (e != OK)
		acl_fini(a);
	return e;
}

void
acl_fini(struct acl *a)
{
	free(a->prefixes);
	*a = (struct acl){ 0 };
}

bool
acl_allows(const struct acl *a, const struct netif *n, const struct addr *peer)
{
	struct addr p = *peer;

	addr_unmap(&p);
	if (p.sa.sa_family == AF_UNSPEC || addr_is_any(&p) || addr_is_multicast(&p))
		return false;
	if (a->any)
		return true;
	if (a->local && (addr_is_private(&p) || (n != NULL && netif_is_connected(n, &p))))
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (prefix_match(&a->prefixes[i], &p))
			return true;
	return false;
}
