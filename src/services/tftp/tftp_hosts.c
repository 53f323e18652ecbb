/* SPDX-License-Identifier: MIT */
#include "services/tftp/tftp_hosts.h"

#include <stdlib.h>

#define BUCKETS 1024
#define DAY seconds(86400)

struct tftp_hosts {
	uint64_t seed;
	unsigned count;
	LIST_HEAD(, tftp_host) chains[BUCKETS];
	/* Those without a session, longest unused first: never answered, answered before. */
	TAILQ_HEAD(tftp_host_ages, tftp_host) ages[2];
};

enum err
tftp_hosts_new(struct tftp_hosts **out, uint64_t seed)
{
	struct tftp_hosts *hosts = calloc(1, sizeof(*hosts));

	if (hosts == NULL)
		return ERR_NOMEM;
	hosts->seed = seed;
	TAILQ_INIT(&hosts->ages[false]);
	TAILQ_INIT(&hosts->ages[true]);
	*out = hosts;
	return OK;
}

void
tftp_hosts_free(struct tftp_hosts *hosts)
{
	struct tftp_host *host;

	if (hosts == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		while ((host = LIST_FIRST(&hosts->chains[i])) != NULL) {
			LIST_REMOVE(host, chain);
			free(host);
		}
	}
	free(hosts);
}

static unsigned
slot_of(const struct tftp_hosts *hosts, const struct addr *addr)
{
	const uint8_t *bytes;
	size_t len = addr_bytes(addr, &bytes);
	uint64_t h = hosts->seed;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(h >> 40) % BUCKETS;
}

/* Make room: forged addresses come in any number, and must not push out those that answer. */
static bool
make_room(struct tftp_hosts *hosts)
{
	struct tftp_host *host = TAILQ_FIRST(&hosts->ages[false]);

	if (hosts->count < TFTP_HOSTS_MAX)
		return true;
	if (host == NULL)
		host = TAILQ_FIRST(&hosts->ages[true]);
	if (host == NULL)
		return false;
	LIST_REMOVE(host, chain);
	TAILQ_REMOVE(&hosts->ages[host->proven], host, age);
	hosts->count--;
	free(host);
	return true;
}

struct tftp_host *
tftp_hosts_get(struct tftp_hosts *hosts, const struct addr *addr, mono_us now)
{
	unsigned slot = slot_of(hosts, addr);
	struct tftp_host *host;

	LIST_FOREACH(host, &hosts->chains[slot], chain) {
		if (!addr_equal_host(&host->addr, addr))
			continue;
		if (host->sessions == 0) {
			TAILQ_REMOVE(&hosts->ages[host->proven], host, age);
			TAILQ_INSERT_TAIL(&hosts->ages[host->proven], host, age);
		}
		return host;
	}
	if (!make_room(hosts) || (host = calloc(1, sizeof(*host))) == NULL)
		return NULL;
	host->addr = *addr;
	addr_set_port(&host->addr, 0);
	host->day = now;
	bucket_init(&host->errors, TFTP_HOST_ERRORS, TFTP_HOST_ERRORS, now);
	LIST_INSERT_HEAD(&hosts->chains[slot], host, chain);
	TAILQ_INSERT_TAIL(&hosts->ages[false], host, age);
	hosts->count++;
	return host;
}

void
tftp_hosts_use(struct tftp_hosts *hosts, struct tftp_host *host)
{
	if (host->sessions++ == 0)
		TAILQ_REMOVE(&hosts->ages[host->proven], host, age);
}

void
tftp_hosts_leave(struct tftp_hosts *hosts, struct tftp_host *host)
{
	if (--host->sessions == 0)
		TAILQ_INSERT_TAIL(&hosts->ages[host->proven], host, age);
}

uint64_t
tftp_host_share(struct tftp_host *host, uint64_t quota, mono_us now)
{
	if (now - host->day >= DAY) {
		host->day = now;
		host->uploaded = 0;
	}
	if (quota == 0)
		return UINT64_MAX;
	return host->uploaded < quota ? quota - host->uploaded : 0;
}

unsigned
tftp_hosts_count(const struct tftp_hosts *hosts)
{
	return hosts->count;
}
