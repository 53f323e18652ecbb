/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of each client address: how many transfers it has, how many errors it may
 * still be told, what it uploaded today, how fast it answers. Bounded; the longest unused one is
 * forgotten, of those that have never answered first.
 */
#ifndef SERVICES_TFTP_TFTP_HOSTS_H
#define SERVICES_TFTP_TFTP_HOSTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "util/addr.h"
#include "util/bucket.h"
#include "util/err.h"
#include "util/mono.h"

#define TFTP_HOSTS_MAX 4096
#define TFTP_HOST_ERRORS 10	/* error packets a second to one address, and at once */

struct tftp_host {
	struct addr addr;		/* port 0 */
	unsigned sessions;		/* while not 0 it is not forgotten; see tftp_hosts_use() */
	unsigned unproven;		/* of them, still without an answer */
	bool proven;			/* has answered at this address before */
	struct bucket errors;
	uint64_t uploaded;		/* bytes since `day` */
	mono_us day;
	usec srtt;			/* of its last transfer; 0: unknown */
	LIST_ENTRY(tftp_host) chain;
	TAILQ_ENTRY(tftp_host) age;
};

struct tftp_hosts;

/* seed  of the hash, secret and random. Errors: ERR_NOMEM. */
enum err tftp_hosts_new(struct tftp_hosts **out, uint64_t seed) MUST_CHECK;
void tftp_hosts_free(struct tftp_hosts *hosts);

/* Find or make the entry of an address. NULL where all are in use. */
struct tftp_host *tftp_hosts_get(struct tftp_hosts *hosts, const struct addr *addr, mono_us now);

/* Count a session of the host, and take it off again. */
void tftp_hosts_use(struct tftp_hosts *hosts, struct tftp_host *host);
void tftp_hosts_leave(struct tftp_hosts *hosts, struct tftp_host *host);

/* Bytes that the host may still upload today, of `quota` (0: no limit). */
uint64_t tftp_host_share(struct tftp_host *host, uint64_t quota, mono_us now);

/* Number of entries. */
unsigned tftp_hosts_count(const struct tftp_hosts *hosts);

#endif
