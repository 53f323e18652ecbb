/* SPDX-License-Identifier: MIT */
/*
 * Who may ask. A list of prefixes plus the words "local" (directly connected and private networks,
 * loopback), "any" and "none"; an empty list means "local".
 */
#ifndef CORE_ACL_H
#define CORE_ACL_H

#include <stdbool.h>
#include <stddef.h>

#include "util/addr.h"
#include "util/err.h"

struct conf;
struct netif;

#define ACL_PREFIXES_MAX 256

struct acl {
	struct prefix *prefixes;
	size_t count;
	bool local;
	bool any;
};

/*
 * Build from the list setting `key` of cf. Errors: ERR_NOMEM, ERR_FULL. Values are checked before.
 */
enum err acl_init(struct acl *a, const struct conf *cf, const char *key) MUST_CHECK;
void acl_fini(struct acl *a);

/* peer may ask. Multicast and unspecified sources never may. */
bool acl_allows(const struct acl *a, const struct netif *n, const struct addr *peer);

/* For the conf_key table: what is wrong with one value, or NULL. */
const char *acl_check(const char *value);

#endif
