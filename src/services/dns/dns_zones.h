/* SPDX-License-Identifier: MIT */
/* A short list of zones from the settings, and whether a name lies in one of them. */
#ifndef SERVICES_DNS_ZONES_H
#define SERVICES_DNS_ZONES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/conf.h"
#include "services/dns/dns_name.h"
#include "util/err.h"

#define DNS_ZONES_MAX 256	/* each is compared with each answer that is stored */

struct dns_zones {
	struct dns_name *names;	/* lower case */
	size_t count;
};

/*
 * Read the list setting `key`. *bad is the place of what was refused. Errors: ERR_FORMAT,
 * ERR_RANGE, ERR_FULL, ERR_NOMEM.
 */
enum err dns_zones_init(struct dns_zones *z, const struct conf *cf, const char *key,
    size_t *bad) MUST_CHECK;
void dns_zones_fini(struct dns_zones *z);

/* name, in any letter case, is one of the zones or lies below one. */
bool dns_zones_have(const struct dns_zones *z, struct span name);

#endif
