/* SPDX-License-Identifier: MIT */
/* Clients that wait, in chains by the keyed hash of their address; memory is taken at the start. */
#include "services/dns/dns_clients.h"

#include <stdlib.h>
#include <string.h>

enum err
dns_clients_init(struct dns_clients *t, size_t count,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	*t = (struct dns_clients){ .count = 1 };
	while (t->count < count)
		t->count *= 2;
	memcpy(t->key, key, sizeof(t->key));
	LIST_INIT(&t->free);
	t->all = calloc(t->count, sizeof(*t->all));
	t->chains = calloc(t->count, sizeof(*t->chains));
	if (t->all != NULL && t->chains != NULL)
		return OK;
	dns_clients_fini(t);
	return ERR_NOMEM;
}

void
dns_clients_fini(struct dns_clients *t)
{
	free(t->all);
	free(t->chains);
	*t = (struct dns_clients){ 0 };
}

static struct dns_client_list *
chain_of(struct dns_clients *t, const struct addr *host)
{
	const uint8_t *bytes;
	size_t len = addr_bytes(host, &bytes);

	return &t->chains[seal_short_hash(span_of(bytes, len), t->key) & (t->count - 1)];
}

static struct dns_client *
take(struct dns_clients *t)
{
	struct dns_client *c = LIST_FIRST(&t->free);

	if (c != NULL)
		LIST_REMOVE(c, link);
	else if (t->touched < t->count)
		c = &t->all[t->touched++];
	return c;
}

static struct dns_client *
find_or_make(struct dns_clients *t, const struct addr *host)
{
	struct dns_client_list *chain = chain_of(t, host);
	struct dns_client *c;

	LIST_FOREACH(c, chain, link)
		if (addr_equal_host(&c->host, host))
			return c;
	c = take(t);
	if (c == NULL)
		return NULL;
	c->host = *host;
	c->waiting = 0;
	LIST_INSERT_HEAD(chain, c, link);
	return c;
}

struct dns_client *
dns_clients_enter(struct dns_clients *t, const struct addr *host, unsigned most)
{
	struct dns_client *c = find_or_make(t, host);

	if (c == NULL || c->waiting >= most) {
		t->refused++;
		return NULL;
	}
	c->waiting++;
	return c;
}

void
dns_clients_leave(struct dns_clients *t, struct dns_client *c)
{
	if (--c->waiting != 0)
		return;
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&t->free, c, link);
}
