/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says about links, addresses and neighbours. The linker puts the __wrap_ functions
 * below in the place of libmnl's sockets; they answer with the input: a length of two bytes, then
 * as many bytes of messages. Length 0 stands for lost notifications, and a message with the
 * sequence number 0 answers the last question.
 */
#include "fuzz.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/loop.h"
#include "core/netif.h"
#include "util/wire.h"

struct mnl_socket;
struct mnl_socket *__wrap_mnl_socket_open2(int bus, int flags);
int __wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *nl);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t len);
int __wrap_mnl_socket_close(struct mnl_socket *nl);

static struct wire_rd input;
static bool starting;		/* a full read is awaited: where the input ends, so does the dump */
static int always_ready = -1;
static uint32_t asked;		/* sequence number of the last question */

struct mnl_socket *
__wrap_mnl_socket_open2(int bus, int flags)
{
	(void)bus;
	(void)flags;
	return (struct mnl_socket *)&always_ready;
}

int
__wrap_mnl_socket_bind(struct mnl_socket *nl, unsigned groups, pid_t pid)
{
	(void)nl;
	(void)groups;
	(void)pid;
	return 0;
}

int
__wrap_mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return always_ready;
}

ssize_t
__wrap_mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	struct nlmsghdr h;

	(void)nl;
	FUZZ_CHECK(len >= sizeof(h));
	memcpy(&h, buf, sizeof(h));
	FUZZ_CHECK(h.nlmsg_len == len);
	asked = h.nlmsg_seq;
	return (ssize_t)len;
}

/* Fill in the number of the question where a message has none. */
static void
number(uint8_t *at, size_t len)
{
	struct nlmsghdr h;

	while (len >= sizeof(h)) {
		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_seq == 0)
			h.nlmsg_seq = asked;
		memcpy(at, &h, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - (NLMSG_ALIGNTO - 1))
			return;
		at += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
}

ssize_t
__wrap_mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t len)
{
	struct nlmsghdr done = { .nlmsg_len = sizeof(done), .nlmsg_type = NLMSG_DONE,
		.nlmsg_seq = asked };
	uint16_t size = wire_rd_u16(&input);
	struct span bytes = wire_rd_bytes(&input, size);

	(void)nl;
	if (input.bad && starting) {
		memcpy(buf, &done, sizeof(done));
		return sizeof(done);
	}
	if (input.bad || size == 0 || size > len) {
		errno = !input.bad && size == 0 ? ENOBUFS : EAGAIN;
		return -1;
	}
	memcpy(buf, bytes.at, size);
	number(buf, size);
	return size;
}

int
__wrap_mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	return 0;
}

static void
check_tables(const struct netif *n)
{
	const struct netif_link *links;
	const struct netif_addr *addrs;
	size_t link_count = netif_links(n, &links), addr_count = netif_addrs(n, &addrs);

	FUZZ_CHECK(link_count <= NETIF_LINKS_MAX && addr_count <= NETIF_ADDRS_MAX);
	for (size_t i = 0; i < link_count; i++)
		FUZZ_CHECK(memchr(links[i].name, '\0', sizeof(links[i].name)) != NULL);
	for (size_t i = 0; i < addr_count; i++) {
		FUZZ_CHECK(addrs[i].addr.sa.sa_family == AF_INET ||
			   addrs[i].addr.sa.sa_family == AF_INET6);
		FUZZ_CHECK(netif_is_own(n, &addrs[i].addr));
	}
}

static void
neighbours(struct netif *n)
{
	static const char *const whom[] = { "10.0.0.7", "fe80::7" };

	for (size_t i = 0; i < 2; i++) {
		struct addr a;
		uint8_t mac[6];

		FUZZ_CHECK(addr_parse(&a, whom[i], 0) == OK);
		if (a.sa.sa_family == AF_INET6)
			a.in6.sin6_scope_id = 2;
		(void)!netif_neighbour(n, &a, mac);
	}
}

static void
interfaces(struct loop *loop, struct log *lg)
{
	struct netif *n;

	starting = true;
	FUZZ_CHECK(netif_new(&n, loop, lg) == OK);
	starting = false;
	check_tables(n);
	neighbours(n);
	for (int i = 0; i < 8 && !input.bad; i++)
		FUZZ_CHECK(loop_turn(loop, loop_clock(loop)) == OK);
	check_tables(n);
	netif_free(n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loop *loop;
	struct log *lg;

	if (always_ready < 0)
		always_ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	input = wire_rd_of(span_of(data, size));
	FUZZ_CHECK(loop_new(&loop) == OK && log_new(&lg, LOG_LEVEL_ERR, LOG_FORMAT_TEXT) == OK);
	interfaces(loop, lg);
	log_free(lg);
	loop_free(loop);
	return 0;
}
