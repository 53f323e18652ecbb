/* SPDX-License-Identifier: MIT */
/*
 * The echo protocol (RFC 862) as a loaded service: what comes in goes back.
 *
 *	load = { "/path/echo.so" }
 *	echo { listen = { "127.0.0.1:7007" } }
 *
 * An answer is exactly as long as its question, so nothing is amplified; datagrams that claim to
 * come from another echo (port 7, or the one we listen on) are dropped, or two of them could be
 * made to talk for ever.
 */
#include <hearth/service.h>
#include <stdlib.h>

#define ECHO_PORT 7	/* RFC 862 */

struct echo {
	uint64_t echoed;
	uint64_t dropped;
};

static const struct conf_key keys[] = {
	{ .name = "listen", .type = CONF_ADDR, .flags = CONF_LIST | CONF_LISTEN,
	    .value = "127.0.0.1:7007", .port = ECHO_PORT, .help = "addresses to echo on" },
	{ 0 },
};

static enum err
start(struct service *sv, const struct conf *cf)
{
	enum err e = OK;

	sv->state = calloc(1, sizeof(struct echo));
	if (sv->state == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; e == OK && i < conf_count(cf, "listen"); i++) {
		struct addr local = conf_addr_at(cf, "listen", i);

		e = service_listen(sv, &local, NULL, NULL);
	}
	return e;
}

static void
receive(struct service *sv, const struct dgram *dg)
{
	struct echo *echo = sv->state;

	uint16_t from = addr_port(dg->peer);

	if (from == ECHO_PORT || from == addr_port(dg->local) || dg->truncated) {
		echo->dropped++;
		return;
	}
	udp_reply(dg->socket, dg->data, dg);
	echo->echoed++;
}

static void
report(const struct service *sv, struct report *out)
{
	const struct echo *echo = sv->state;

	report_u64(out, "echoed", echo->echoed);
	report_u64(out, "dropped", echo->dropped);
}

static void
stop(struct service *sv)
{
	free(sv->state);
}

const struct service_ops hearth_service = {
	.abi = HEARTH_SERVICE_ABI,
	.name = "echo",
	.help = "echo of RFC 862",
	.keys = keys,
	.start = start,
	.receive = receive,
	.report = report,
	.stop = stop,
};
