/* SPDX-License-Identifier: MIT */
/* A linear list: an owner names a handful of zones. */
#include "services/dns/dns_zones.h"

#include <stdlib.h>

#include "services/dns/dns_routes.h"

enum err
dns_zones_init(struct dns_zones *z, const struct conf *cf, const char *key, size_t *bad)
{
	size_t count = conf_count(cf, key);
	enum err e = OK;

	*z = (struct dns_zones){ 0 };
	*bad = 0;
	if (count == 0)
		return OK;
	if (count > DNS_ZONES_MAX) {
		*bad = DNS_ZONES_MAX;
		return ERR_FULL;
	}
	z->names = calloc(count, sizeof(*z->names));
	if (z->names == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; e == OK && i < count; i++) {
		*bad = i;
		e = dns_zone_parse(&z->names[z->count++], conf_str_at(cf, key, i));
	}
	if (e != OK)
		dns_zones_fini(z);
	return e;
}

void
dns_zones_fini(struct dns_zones *z)
{
	free(z->names);
	*z = (struct dns_zones){ 0 };
}

bool
dns_zones_have(const struct dns_zones *z, struct span name)
{
	for (size_t i = 0; i < z->count; i++)
		if (dns_name_below(name, dns_name_span(&z->names[i])))
			return true;
	return false;
}
