/* SPDX-License-Identifier: MIT */
/* Who asks: what maps, templates and roots may depend on. No system calls. */
#ifndef SERVICES_TFTP_TFTP_CLIENT_H
#define SERVICES_TFTP_TFTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/span.h"

struct tftp_client {
	struct addr peer;
	struct addr server;	/* the address that was asked */
	bool mac_known;		/* directly connected and in the neighbour table */
	uint8_t mac[6];
};

/* One of the three kinds of people a setting may be for. */
struct tftp_match {
	enum tftp_match_kind {
		TFTP_MATCH_NET,		/* an address is a network of full length */
		TFTP_MATCH_MAC,
	} kind;
	struct prefix net;
	uint8_t mac[6];
};

/* Parse a MAC address, an address or a network. Errors: ERR_FORMAT, ERR_RANGE. */
enum err tftp_match_parse(struct tftp_match *out, const char *text) MUST_CHECK;
bool tftp_match_is(const struct tftp_match *m, const struct tftp_client *who);
/* How special it is: a MAC address comes before an address, that before networks by length. */
unsigned tftp_match_rank(const struct tftp_match *m);

/* The text begins with one of ${ip}, ${mac} and ${server}. */
bool tftp_client_knows(const char *text);

/*
 * Replace ${ip}, ${mac} (with "-", as PXELINUX writes it) and ${server} and copy everything else,
 * other ${…} included. An unknown MAC address is empty.
 *
 * returns the length of the whole text, which may be more than cap; then only cap bytes are there
 */
size_t tftp_client_expand(const struct tftp_client *who, struct span text, uint8_t *out,
			  size_t cap);

#endif
