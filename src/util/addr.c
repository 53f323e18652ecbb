/* SPDX-License-Identifier: MIT */
/*
 * Addresses and prefixes, to and from text. Text forms: RFC 5952 for output, RFC 4007 §11 for the
 * zone behind %. Everything compares bytes in network order.
 */
#include "util/addr.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_LEAST 53	/* what is given as address and port listens no lower */

/* Read a decimal number of at most max; false on anything else, the empty text included. */
static bool
parse_number(const char *text, unsigned long max, unsigned long *out)
{
	unsigned long v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned long)(*text - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

static enum err
parse_zone(const char *zone, uint32_t *scope)
{
	unsigned long index;

	if (parse_number(zone, INT_MAX, &index)) {
		*scope = (uint32_t)index;
		return OK;
	}
	*scope = if_nametoindex(zone);
	return *scope != 0 ? OK : ERR_NOTFOUND;
}

/* Parse a bare address, no port. text is scratch and is written to. */
static enum err
parse_host(struct addr *out, char *text)
{
	uint32_t scope = 0;
	char *zone = strchr(text, '%');

	*out = (struct addr){ 0 };
	if (zone != NULL) {
		*zone++ = '\0';

		enum err e = parse_zone(zone, &scope);

		if (e != OK)
			return e;
	}
	if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_scope_id = scope;
		return OK;
	}
	if (zone == NULL && inet_pton(AF_INET, text, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		return OK;
	}
	return ERR_FORMAT;
}

enum err
addr_parse(struct addr *out, const char *text, uint16_t port)
{
	char host[ADDR_TEXT_MAX];
	char *port_text = NULL;
	unsigned long number = port;

	if (strlen(text) >= sizeof(host))
		return ERR_FORMAT;
	strcpy(host, text);

	char *start = host;

	if (host[0] == '[') {
		char *close = strchr(host, ']');

		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return ERR_FORMAT;
		if (close[1] == ':')
			port_text = close + 2;
		*close = '\0';
		start++;
	} else {
		char *colon = strchr(host, ':');

		/* Two colons make it a bare IPv6 address. */
		if (colon != NULL && strchr(colon + 1, ':') == NULL) {
			port_text = colon + 1;
			*colon = '\0';
		}
	}
	if (port_text != NULL && !parse_number(port_text, ULONG_MAX / 16, &number))
		return ERR_FORMAT;
	if (number > UINT16_MAX)
		return ERR_RANGE;

	enum err e = parse_host(out, start);

	if (e != OK)
		return e;
	if (host[0] == '[' && out->sa.sa_family != AF_INET6)
		return ERR_FORMAT;
	addr_set_port(out, (uint16_t)number);
	return OK;
}

bool
addr_is_ambiguous(const char *text, char meant[static ADDR_TEXT_MAX])
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	struct in6_addr bytes;
	unsigned long port;

	if (colon == NULL || colon[1] == '0' || strlen(text) + 2 >= ADDR_TEXT_MAX ||
	    !parse_number(colon + 1, UINT16_MAX, &port) || port < PORT_LEAST)
		return false;

	size_t head = (size_t)(colon - text), len = strcspn(text, "%");

	if (len > head)
		len = head;
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, &bytes) != 1)
		return false;
	snprintf(meant, ADDR_TEXT_MAX, "[%.*s]%s", (int)head, text, colon);
	return true;
}

const char *
addr_format_host(const struct addr *a, char buf[static ADDR_TEXT_MAX])
{
	if (a->sa.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &a->in.sin_addr, buf, ADDR_TEXT_MAX);
	} else if (a->sa.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, INET6_ADDRSTRLEN);

		uint32_t scope = a->in6.sin6_scope_id;
		char name[IF_NAMESIZE];
		size_t at = strlen(buf);

		if (scope != 0 && if_indextoname(scope, name) != NULL)
			snprintf(buf + at, ADDR_TEXT_MAX - at, "%%%s", name);
		else if (scope != 0)
			snprintf(buf + at, ADDR_TEXT_MAX - at, "%%%u", scope);
	} else {
		strcpy(buf, "-");
	}
	return buf;
}

size_t
addr_parse_bytes(uint8_t out[static 16], struct span text)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, '\0', text.len) != NULL)
		return 0;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, out) == 1)
		return 4;
	return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

const char *
addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];

	addr_format_host(a, host);
	if (a->sa.sa_family == AF_INET)
		snprintf(buf, ADDR_TEXT_MAX, "%.15s:%u", host, addr_port(a));
	else if (a->sa.sa_family == AF_INET6)
		snprintf(buf, ADDR_TEXT_MAX, "[%.64s]:%u", host, addr_port(a));
	else
		strcpy(buf, host);
	return buf;
}

socklen_t
addr_len(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

uint16_t
addr_port(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return ntohs(a->in6.sin6_port);
	return a->sa.sa_family == AF_INET ? ntohs(a->in.sin_port) : 0;
}

void
addr_set_port(struct addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
}

size_t
addr_bytes(const struct addr *a, const uint8_t **bytes)
{
	if (a->sa.sa_family == AF_INET) {
		*bytes = (const uint8_t *)&a->in.sin_addr;
		return 4;
	}
	if (a->sa.sa_family == AF_INET6) {
		*bytes = a->in6.sin6_addr.s6_addr;
		return 16;
	}
	*bytes = NULL;
	return 0;
}

bool
addr_equal_host(const struct addr *a, const struct addr *b)
{
	const uint8_t *pa, *pb;
	size_t na = addr_bytes(a, &pa);
	size_t nb = addr_bytes(b, &pb);

	if (na != nb || a->sa.sa_family != b->sa.sa_family)
		return false;
	if (na != 0 && memcmp(pa, pb, na) != 0)
		return false;
	return na != 16 || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_equal_host(a, b) && addr_port(a) == addr_port(b);
}

static uint32_t
v4_bits(const struct addr *a)
{
	return ntohl(a->in.sin_addr.s_addr);
}

bool
addr_is_any(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return v4_bits(a) == INADDR_ANY;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool
addr_is_loopback(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return v4_bits(a) >> 24 == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool
addr_is_linklocal(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return v4_bits(a) >> 16 == 0xa9fe;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
}

bool
addr_is_multicast(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return v4_bits(a) >> 28 == 0xe;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
}

bool
addr_is_private(const struct addr *a)
{
	if (addr_is_loopback(a) || addr_is_linklocal(a))
		return true;
	if (a->sa.sa_family == AF_INET) {
		uint32_t v = v4_bits(a);

		return v >> 24 == 10 || v >> 20 == 0xac1 || v >> 16 == 0xc0a8 || v >> 22 == 0x191;
	}
	return a->sa.sa_family == AF_INET6 && (a->in6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
}

void
addr_unmap(struct addr *a)
{
	if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;

	struct addr v4 = { .in = { .sin_family = AF_INET, .sin_port = a->in6.sin6_port } };

	memcpy(&v4.in.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	*a = v4;
}

void
prefix_of(struct prefix *out, const struct addr *a, unsigned bits)
{
	const uint8_t *bytes;
	size_t n = addr_bytes(a, &bytes);

	*out = (struct prefix){ .family = (uint8_t)a->sa.sa_family };
	if (n == 0)
		return;
	if (bits > n * 8)
		bits = (unsigned)(n * 8);
	out->bits = (uint8_t)bits;
	memcpy(out->bytes, bytes, (bits + 7) / 8);
	if (bits % 8 != 0)
		out->bytes[bits / 8] &= (uint8_t)(0xff << (8 - bits % 8));
}

enum err
prefix_parse(struct prefix *out, const char *text)
{
	char host[ADDR_TEXT_MAX];
	struct addr a;
	unsigned long bits = 128;

	if (strlen(text) >= sizeof(host))
		return ERR_FORMAT;
	strcpy(host, text);

	char *slash = strchr(host, '/');

	if (slash != NULL)
		*slash++ = '\0';

	enum err e = parse_host(&a, host);

	if (e != OK)
		return e;
	if (slash != NULL && !parse_number(slash, 1000, &bits))
		return ERR_FORMAT;
	if (slash != NULL && bits > (a.sa.sa_family == AF_INET ? 32 : 128))
		return ERR_RANGE;
	prefix_of(out, &a, (unsigned)bits);
	return OK;
}

bool
prefix_match(const struct prefix *p, const struct addr *a)
{
	const uint8_t *bytes;
	size_t whole = p->bits / 8;

	if (p->family != a->sa.sa_family || addr_bytes(a, &bytes) == 0)
		return false;
	if (memcmp(p->bytes, bytes, whole) != 0)
		return false;
	if (p->bits % 8 == 0)
		return true;

	uint8_t mask = (uint8_t)(0xff << (8 - p->bits % 8));

	return (bytes[whole] & mask) == p->bytes[whole];
}

const char *
prefix_format(const struct prefix *p, char buf[static ADDR_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "-";

	if (p->family == AF_INET || p->family == AF_INET6)
		(void)inet_ntop(p->family, p->bytes, host, sizeof(host));
	snprintf(buf, ADDR_TEXT_MAX, "%s/%u", host, p->bits);
	return buf;
}
