/* SPDX-License-Identifier: MIT */
/*
 * The door to c-ares, which keeps the transactions of one server: it writes a query, waits for
 * its answer, moves it to TCP when that was truncated, and calls back.
 *
 * c-ares never has a descriptor. Its two sockets are numbers; what it writes to them starts a
 * transport of ours, and what it reads from them is a header with a question, made here once an
 * answer was found to be genuine. So it sees no byte that a stranger has written, whatever version
 * it is: 1.18.1 would cut 11 bytes off a query when told FORMERR and redo in TCP what is longer
 * than it likes; 1.28 and later parse and rewrite each message; all close every socket of a server
 * at the first error, together with the queries that wait on them. For the same reasons its packets
 * are not sent as they are: they say which transaction is to be written, and the bytes are that
 * one's. All transactions ask it for the root, the name that it compares fastest: it tells them
 * apart by their ids, which are unique but for queries that were asked again under another one.
 * Should it ever take one for the other, it lets go of them in another order, which nobody notices.
 *
 * Rules: no call of dns_send.done() from inside c-ares, so none of ares_cancel() or ares_destroy()
 * from its callbacks either. c-ares has one try and a long time-out; the deadlines are ours.
 */
#include "services/dns/dns_upstream_priv.h"

/* The newer calls that 1.34 recommends are not in 1.18.1; the old ones are in both. */
#define CARES_NO_DEPRECATED

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define ENGINE_TIMEOUT	15000	/* ms; a backstop, far behind every deadline of ours */
#define FIRST_NUMBER	100000	/* of the sockets c-ares believes to have: even UDP, odd TCP */
#define STANDIN_BYTES	(DNS_HEADER_BYTES + 5)	/* of a message about the root */

struct dns_engine {
	ares_channel channel;
	struct dns_server *server;
	ares_socket_t udp;		/* ARES_SOCKET_BAD where c-ares has not opened it */
	ares_socket_t tcp;
	ares_socket_t next;
	struct dns_transaction *current;	/* whose packet c-ares is about to write */
	bool written;				/* it did */
	bool feeding;				/* it reads `feed` next */
	uint8_t feed[STANDIN_BYTES];
};

/* --- the sockets c-ares believes to have ------------------------------------------------------ */

static bool
is_tcp(ares_socket_t number)
{
	return number % 2 != 0;
}

static ares_socket_t
hook_socket(int domain, int type, int protocol, void *user)
{
	struct dns_engine *e = user;
	bool tcp = type == SOCK_STREAM;
	ares_socket_t number = e->next + tcp;

	(void)domain;
	(void)protocol;
	e->next += 2;
	*(tcp ? &e->tcp : &e->udp) = number;
	return number;
}

static int
hook_close(ares_socket_t number, void *user)
{
	struct dns_engine *e = user;

	if (e->udp == number)
		e->udp = ARES_SOCKET_BAD;
	if (e->tcp == number)
		e->tcp = ARES_SOCKET_BAD;
	return 0;
}

static int
hook_connect(ares_socket_t number, const struct sockaddr *to, ares_socklen_t len, void *user)
{
	(void)number;
	(void)to;
	(void)len;
	(void)user;
	return 0;
}

static ares_ssize_t
hook_recvfrom(ares_socket_t number, void *data, size_t cap, int flags, struct sockaddr *from,
    ares_socklen_t *from_len, void *user)
{
	struct dns_engine *e = user;
	const struct addr *addr = &e->server->addr;

	(void)flags;
	if (is_tcp(number) || !e->feeding || sizeof(e->feed) > cap) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(data, e->feed, sizeof(e->feed));
	e->feeding = false;
	if (from != NULL && from_len != NULL && *from_len >= addr_len(addr)) {
		memcpy(from, &addr->sa, addr_len(addr));
		*from_len = addr_len(addr);
	}
	return sizeof(e->feed);
}

/*
 * c-ares writes a packet: it is e->current's, as every call into c-ares that makes it write is
 * about one transaction. Where it is none's, there is nothing to send. Whatever happens to it on
 * our side, c-ares is told that all went well: an error would end every query of the server.
 */
static ares_ssize_t
hook_sendv(ares_socket_t number, const struct iovec *vec, int n, void *user)
{
	struct dns_engine *e = user;
	struct dns_transaction *t = e->current;
	size_t total = 0;

	for (int i = 0; i < n; i++)
		total += vec[i].iov_len;
	if (t == NULL || n < 1 || e->written)
		return (ares_ssize_t)total;
	if (!is_tcp(number) && vec[0].iov_len >= 2)
		t->engine_id = dns_msg_id(span_of(vec[0].iov_base, vec[0].iov_len));
	e->written = true;
	dns_transaction_write(t, is_tcp(number));
	return (ares_ssize_t)total;
}

static const struct ares_socket_functions hooks = {
	.asocket = hook_socket,
	.aclose = hook_close,
	.aconnect = hook_connect,
	.arecvfrom = hook_recvfrom,
	.asendv = hook_sendv,
};

/* --- channels --------------------------------------------------------------------------------- */

static enum err
err_from_ares(int status)
{
	return status == ARES_ENOMEM ? ERR_NOMEM : ERR_UNSUPPORTED;
}

/* Every option that c-ares would otherwise look for in a file, the environment or its defaults. */
static int
open_channel(ares_channel *out)
{
	struct in_addr nobody = { .s_addr = INADDR_ANY };
	struct ares_options o = {
		.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS |
		    ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = ENGINE_TIMEOUT,
		.tries = 1,
		.ndots = 1,
		.servers = &nobody,
		.nservers = 1,
		.lookups = (char[]){ "b" },
		.ednspsz = 4096,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
	    ARES_OPT_SERVERS | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST |
	    ARES_OPT_EDNSPSZ | ARES_OPT_NOROTATE;

#if HAVE_DECL_ARES_OPT_QUERY_CACHE
	mask |= ARES_OPT_QUERY_CACHE;	/* of no seconds: the cache is ours */
#endif
	return ares_init_options(out, &o, mask);
}

static int
set_server(ares_channel channel, const struct addr *addr)
{
	struct ares_addr_port_node node = { .family = addr->sa.sa_family };
	const uint8_t *bytes;
	size_t n = addr_bytes(addr, &bytes);

	memcpy(&node.addr, bytes, n);
	node.udp_port = node.tcp_port = addr_port(addr);
	return ares_set_servers_ports(channel, &node);
}

enum err
dns_engine_new(struct dns_engine **out, struct dns_server *sv)
{
	struct dns_engine *e = calloc(1, sizeof(*e));
	int status;

	if (e == NULL)
		return ERR_NOMEM;
	*e = (struct dns_engine){ .server = sv, .udp = ARES_SOCKET_BAD, .tcp = ARES_SOCKET_BAD,
		.next = FIRST_NUMBER };
	status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status != ARES_SUCCESS)
		goto free_engine;
	status = open_channel(&e->channel);
	if (status != ARES_SUCCESS)
		goto cleanup_library;
	ares_set_socket_functions(e->channel, &hooks, e);
	status = set_server(e->channel, &sv->addr);
	if (status != ARES_SUCCESS)
		goto destroy_channel;
	*out = e;
	return OK;
destroy_channel:
	ares_destroy(e->channel);
cleanup_library:
	ares_library_cleanup();
free_engine:
	free(e);
	return err_from_ares(status);
}

void
dns_engine_free(struct dns_engine *e)
{
	if (e == NULL)
		return;
	ares_destroy(e->channel);
	ares_library_cleanup();
	free(e);
}

/* --- transactions ----------------------------------------------------------------------------- */

/* The end of a query, as far as c-ares is concerned. The outcome is known on our side already. */
static void
finished(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
	(void)status;
	(void)timeouts;
	(void)answer;
	(void)len;
	dns_transaction_let_go(arg);
}

/* The message that stands for t's where c-ares looks: one question, for the root's servers. */
static void
write_standin(uint8_t out[static STANDIN_BYTES], uint16_t id, uint16_t flags)
{
	static const uint8_t rest[STANDIN_BYTES - 4] = { 0, 1, [10] = DNS_TYPE_NS,
		[12] = DNS_CLASS_IN };

	wire_put_u16(out, id);
	wire_put_u16(out + 2, flags);
	memcpy(out + 4, rest, sizeof(rest));
}

bool
dns_engine_start(struct dns_engine *e, struct dns_transaction *t)
{
	uint8_t query[STANDIN_BYTES];

	write_standin(query, t->id, DNS_FLAG_RD);
	e->current = t;
	e->written = false;
	t->in_engine = true;
	ares_send(e->channel, query, sizeof(query), finished, t);
	e->current = NULL;
	return e->written;
}

/* Let c-ares read an answer to t, with these flags. */
static void
feed(struct dns_engine *e, const struct dns_transaction *t, uint16_t flags)
{
	write_standin(e->feed, t->engine_id, flags);
	e->feeding = true;
	ares_process_fd(e->channel, e->udp, ARES_SOCKET_BAD);
	e->feeding = false;
}

bool
dns_engine_to_tcp(struct dns_engine *e, struct dns_transaction *t)
{
	if (!t->in_engine || e->udp == ARES_SOCKET_BAD)
		return false;
	e->current = t;
	e->written = false;
	feed(e, t, DNS_FLAG_QR | DNS_FLAG_TC);
	/* c-ares writes to a stream only when told that it can; ours takes everything at once. */
	if (!e->written && e->tcp != ARES_SOCKET_BAD)
		ares_process_fd(e->channel, ARES_SOCKET_BAD, e->tcp);
	e->current = NULL;
	return e->written;
}

void
dns_engine_end(struct dns_engine *e, struct dns_transaction *t)
{
	if (t->in_engine && e->udp != ARES_SOCKET_BAD)
		feed(e, t, DNS_FLAG_QR);
}

void
dns_engine_tick(struct dns_engine *e)
{
	ares_process_fd(e->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
