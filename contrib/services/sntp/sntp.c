/* SPDX-License-Identifier: MIT */
/*
 * An SNTP server (RFC 4330 §6) as a loaded service: tells the machine's own time to the house.
 *
 *	load = { "/path/sntp.so" }
 *	sntp { listen = { "0.0.0.0:123" }  stratum = 10 }
 *
 * It does not set the clock: chrony or systemd-timesyncd do. The stratum should be one more than
 * theirs; 10 says honestly that nobody told us.
 */
#include <hearth/service.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/wire.h"

#define SNTP_PORT    123
#define SNTP_BYTES   48			/* without key and digest, RFC 4330 §4 */
#define MODE_CLIENT  3
#define MODE_SERVER  4
#define ERA_OFFSET   UINT64_C(2208988800)	/* seconds from 1900 to 1970 */
#define PRECISION    (-20)		/* 2^-20 s, about a microsecond */

struct sntp {
	int64_t stratum;
	uint64_t answered;
	uint64_t refused;
};

static const struct conf_key keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN,
	    .value = "0.0.0.0:123", .port = SNTP_PORT, .help = "addresses to tell the time on" },
	{ .name = "stratum", .type = CONF_INT, .value = "10", .min = 1, .max = 15,
	    .help = "distance from a reference clock that is claimed" },
	{ 0 },
};

static uint64_t
ntp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((uint64_t)ts.tv_sec + ERA_OFFSET) << 32 |
	    ((uint64_t)ts.tv_nsec << 32) / UINT64_C(1000000000);
}

static enum err
start(struct service *sv, const struct conf *cf)
{
	enum err e = OK;

	sv->state = calloc(1, sizeof(struct sntp));
	if (sv->state == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; e == OK && i < conf_count(cf, "listen"); i++) {
		struct addr local = conf_addr_at(cf, "listen", i);

		e = service_listen(sv, &local, NULL, NULL);
	}
	return e;
}

static enum err
apply(struct service *sv, const struct conf *cf)
{
	((struct sntp *)sv->state)->stratum = conf_int(cf, "stratum");
	return OK;
}

static void
receive(struct service *sv, const struct dgram *dg)
{
	struct sntp *st = sv->state;
	uint64_t received = ntp_now();
	struct wire_rd rd = wire_rd_of(dg->data);
	uint8_t first = wire_rd_u8(&rd);
	uint8_t version = first >> 3 & 7;
	uint8_t buf[SNTP_BYTES];
	struct wire_wr wr = wire_wr_of(buf, sizeof(buf));

	wire_rd_skip(&rd, 1);		/* stratum */

	uint8_t poll = wire_rd_u8(&rd);

	wire_rd_skip(&rd, 37);

	uint64_t transmitted = wire_rd_u64(&rd);

	if (rd.bad || (first & 7) != MODE_CLIENT || version < 1 || version > 4) {
		st->refused++;
		return;
	}
	wire_wr_u8(&wr, (uint8_t)(version << 3 | MODE_SERVER));
	wire_wr_u8(&wr, (uint8_t)st->stratum);
	wire_wr_u8(&wr, poll);
	wire_wr_u8(&wr, (uint8_t)PRECISION);
	wire_wr_u32(&wr, 0);		/* root delay */
	wire_wr_u32(&wr, 1 << 16);	/* root dispersion: one second */
	wire_wr_bytes(&wr, span_str("LOCL"));
	wire_wr_u64(&wr, received);	/* reference: the clock was right just now */
	wire_wr_u64(&wr, transmitted);	/* originate: how the client knows its answer */
	wire_wr_u64(&wr, received);
	wire_wr_u64(&wr, ntp_now());
	udp_reply(dg->socket, wire_wr_span(&wr), dg);
	st->answered++;
}

static void
report(const struct service *sv, struct report *out)
{
	const struct sntp *st = sv->state;

	report_u64(out, "answered", st->answered);
	report_u64(out, "refused", st->refused);
}

static void
stop(struct service *sv)
{
	free(sv->state);
}

const struct service_ops hearth_service = {
	.abi = HEARTH_SERVICE_ABI,
	.name = "sntp",
	.help = "time of day by SNTP (RFC 4330)",
	.keys = keys,
	.start = start,
	.apply = apply,
	.receive = receive,
	.report = report,
	.stop = stop,
};
