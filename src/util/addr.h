/* SPDX-License-Identifier: MIT */
/* Internet addresses with port, and prefixes of them. No sockets, no look-ups over the network. */
#ifndef UTIL_ADDR_H
#define UTIL_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "util/err.h"
#include "util/span.h"

#define ADDR_TEXT_MAX 80	/* bytes with the closing zero: "[v6%interface]:port" */

/* An IPv4 or IPv6 socket address; all zero (AF_UNSPEC) means none. */
struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

/* A network: the first `bits` bits of an address. IPv4 uses the first four bytes. */
struct prefix {
	uint8_t family;		/* AF_INET or AF_INET6 */
	uint8_t bits;		/* 0-32 or 0-128 */
	uint8_t bytes[16];	/* network order, host bits zero */
};

/*
 * Parse "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53", "fe80::1%eth0" and
 * "[fe80::1%eth0]:53". The interface after % may be a name or an index.
 *
 * port	   what to use where the text names none, 0-65535
 * errors  ERR_FORMAT; ERR_RANGE for a port above 65535; ERR_NOTFOUND for an unknown interface
 */
enum err addr_parse(struct addr *out, const char *text, uint16_t port) MUST_CHECK;

/*
 * True for an IPv6 address without brackets whose end may be meant as a port: "::1:53", which is an
 * address, and "fe80::1%eth0:53", which is none. Numbers below 53 are not taken for ports. meant
 * gets "[::1]:53".
 */
bool addr_is_ambiguous(const char *text, char meant[static ADDR_TEXT_MAX]);

/* Write the address with its port, as addr_parse() reads it; gives buf. "-" where there is none. */
const char *addr_format(const struct addr *a, char buf[static ADDR_TEXT_MAX]);

/* Write the address without its port. */
const char *addr_format_host(const struct addr *a, char buf[static ADDR_TEXT_MAX]);

/*
 * Read an address alone, without port, brackets or interface. Gives the number of bytes written in
 * network order, 4 or 16; 0 where the text is none.
 */
size_t addr_parse_bytes(uint8_t out[static 16], struct span text);

/* Bytes of the socket address that are in use: what bind(), connect() and sendmsg() want. */
socklen_t addr_len(const struct addr *a);

uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* Give the 4 or 16 address bytes in network order and their number; 0 for no address. */
size_t addr_bytes(const struct addr *a, const uint8_t **bytes);

/* Address, port and (for IPv6) scope are the same. */
bool addr_equal(const struct addr *a, const struct addr *b);
/* The same without the port. */
bool addr_equal_host(const struct addr *a, const struct addr *b);

bool addr_is_any(const struct addr *a);		/* 0.0.0.0 or :: */
bool addr_is_loopback(const struct addr *a);	/* 127.0.0.0/8 or ::1 */
bool addr_is_linklocal(const struct addr *a);	/* 169.254.0.0/16 or fe80::/10 */
bool addr_is_multicast(const struct addr *a);	/* 224.0.0.0/4 or ff00::/8 */
/* Loopback, link-local, RFC 1918, RFC 6598 (100.64.0.0/10) or RFC 4193 (fc00::/7). */
bool addr_is_private(const struct addr *a);

/* Turn ::ffff:192.0.2.1 into 192.0.2.1; leave everything else alone. */
void addr_unmap(struct addr *a);

/*
 * Parse "192.0.2.0/24" or "2001:db8::/32"; without a slash the whole address.
 * Host bits need not be zero; they are cleared. Errors: ERR_FORMAT, ERR_RANGE (too many bits).
 */
enum err prefix_parse(struct prefix *out, const char *text) MUST_CHECK;
/* bits above the family's width count as the width. */
void prefix_of(struct prefix *out, const struct addr *a, unsigned bits);
bool prefix_match(const struct prefix *p, const struct addr *a);
const char *prefix_format(const struct prefix *p, char buf[static ADDR_TEXT_MAX]);

#endif
