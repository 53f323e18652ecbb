/* SPDX-License-Identifier: MIT */
/*
 * A scripted DNS server for tests: rules say what it answers, and how it misbehaves.
 * fakedns.c has the sockets and the clock, fakedns_zone.c the rules and the bytes.
 *
 * One rule a line, `#` begins a comment:
 *
 *   GLOB TYPE DATA… [; HOW…]
 *
 *   GLOB   name without the last dot, with * and ? as in file names; letter case does not matter
 *   TYPE   A, AAAA, CNAME, NS, PTR, MX, SRV, TXT, HTTPS, SVCB, TYPE123, or * for every type
 *   DATA   as in a zone file; HTTPS takes alpn=, port=, ipv4hint=, ipv6hint=; TXT takes `big N` for
 *          N bytes of text; any type takes `\# LENGTH HEX`. Instead of data: NXDOMAIN, NODATA,
 *          SERVFAIL, REFUSED, NOTIMP, FORMERR (rcodes; the first two with a SOA) or DROP (silence).
 *   HOW    delay=MS      answer later                 drop=N      ignore the first N queries
 *          ttl=SECONDS   of the records (300)         rcode=N     with whatever data there is
 *          tc            truncated over UDP           noudp       no honest answer over UDP
 *          split         TCP one byte at a time       close       TCP: hang up, no answer
 *          aa  ad        set the bit                  lower       question comes back in lower case
 *          noedns        FORMERR without OPT to queries with one; `formerr12`: a bare header
 *          cookie        speak RFC 7873; `badcookie`: insist on it; `wrongcookie`: another's
 *          ede=CODE      extended error in the OPT    extra       unrelated records in all sections
 *          forge=KIND    first a forged datagram with 203.0.113.66: id, question, case, none (no
 *                        question), two (questions), source (another port), query (QR off), opcode,
 *                        short, empty, loop (compression loop), class; may be given several times
 *
 * The first rule that fits name and type decides HOW; all rules with its very GLOB and TYPE give
 * the records. A CNAME rule fits every type and is followed. A name with rules for other types only
 * is NODATA, any other name NXDOMAIN. A query with DO gets an RRSIG behind the records.
 */
#ifndef TESTS_SUPPORT_FAKEDNS_H
#define TESTS_SUPPORT_FAKEDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKEDNS_MSG_MAX 65535

enum forge {	/* bits: which forged datagrams come first */
	FORGE_ID = 1 << 0,
	FORGE_QUESTION = 1 << 1,
	FORGE_CASE = 1 << 2,
	FORGE_NONE = 1 << 3,
	FORGE_TWO = 1 << 4,
	FORGE_SOURCE = 1 << 5,
	FORGE_QUERY = 1 << 6,
	FORGE_OPCODE = 1 << 7,
	FORGE_SHORT = 1 << 8,
	FORGE_EMPTY = 1 << 9,
	FORGE_LOOP = 1 << 10,
	FORGE_CLASS = 1 << 11,
};
#define FORGE_KINDS 12

struct how {
	unsigned delay_ms;
	unsigned drop;		/* queries still to be ignored */
	uint32_t ttl_s;
	int rcode;		/* -1: what the data says */
	int ede;		/* -1: none */
	unsigned forge;
	bool tc, noudp, split, close, aa, ad, lower, noedns, formerr12;
	bool cookie, badcookie, wrongcookie, extra;
};

/* What a query asked, as far as the answer depends on it. */
struct ask {
	uint16_t id;
	uint16_t flags;
	uint8_t name[255];	/* wire form as it came */
	size_t name_len;
	char text[1024];	/* presentation form as it came, for the log and the globs */
	uint16_t type;
	uint16_t class;
	bool edns;
	bool dnssec_ok;
	uint16_t udp_size;
	uint8_t cookie[40];
	size_t cookie_len;
	bool subnet;		/* it told where its client is (RFC 7871) */
	bool tcp;
};

struct zone;

struct zone *zone_new(void);
void zone_free(struct zone *z);
/* Add one line. False: it is no rule, and *why says what is wrong. */
bool zone_add(struct zone *z, const char *line, const char **why);

/* Read a query; false where it is none. */
bool ask_parse(struct ask *a, const uint8_t *bytes, size_t len);

/* What to do with a query: how gets the rule's copy. False: ignore the query. Counts it. */
bool zone_decide(struct zone *z, const struct ask *a, struct how *how);
/* Write the honest answer; gives its length. */
size_t zone_answer(const struct zone *z, const struct ask *a, const struct how *how,
    uint8_t out[static FAKEDNS_MSG_MAX]);
/* Write one forged answer, kind is one bit; gives its length, which may be 0. */
size_t zone_forge(const struct ask *a, unsigned kind, uint8_t out[static 1024]);

const char *type_text(uint16_t type, char buf[static 16]);

#endif
