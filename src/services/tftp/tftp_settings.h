/* SPDX-License-Identifier: MIT */
/*
 * The section `tftp` of the settings, made ready for use. A reload makes a new one; transfers keep
 * the one that they began with.
 */
#ifndef SERVICES_TFTP_TFTP_SETTINGS_H
#define SERVICES_TFTP_TFTP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/acl.h"
#include "core/conf.h"
#include "services/tftp/tftp_client.h"
#include "services/tftp/tftp_map.h"
#include "services/tftp/tftp_store.h"
#include "services/tftp/tftp_terms.h"
#include "services/tftp/tftp_transfer.h"
#include "services/tftp/tftp_upload.h"
#include "util/err.h"

struct service;

enum tftp_ports {
	/* a port that the kernel picks for each transfer, as RFC 1350 has it */
	TFTP_PORTS_EPHEMERAL,
	TFTP_PORTS_SINGLE,	/* everything through the listening port, for NAT and containers */
	TFTP_PORTS_RANGE,
};

/* What is different for some clients. */
struct tftp_special {
	struct tftp_match match;
	unsigned blksize_max;		/* 0: as for everybody */
	unsigned windowsize_max;	/* 0: as for everybody */
	bool no_options;
};

struct tftp_settings {
	unsigned refs;
	struct acl acl;
	struct tftp_store *store;
	struct tftp_map *map;
	struct tftp_inbox *inbox;	/* NULL: read only */
	uint64_t client_quota;		/* bytes a day and client may upload; 0: no limit */
	struct tftp_special specials[TFTP_ROOTS_MAX];	/* the most special first */
	size_t special_count;
	bool needs_mac;			/* something depends on MAC addresses */
	struct tftp_timing timing;
	unsigned blksize_max;		/* 0: what the interface takes in one piece */
	unsigned windowsize_max;
	unsigned sessions_max;
	unsigned client_sessions_max;
	enum tftp_ports ports;
	uint16_t port_first, port_last;	/* TFTP_PORTS_RANGE */
	bool gso;
	bool hash;
};

extern const struct conf_key tftp_keys[];

/*
 * Make it of a section. What is wrong is said in the log. Opens folders, so call it while they may
 * be opened. Errors: ERR_SYS, ERR_NOMEM, ERR_FORMAT, ERR_FULL.
 */
enum err tftp_settings_new(struct tftp_settings **out, struct service *sv,
    const struct conf *cf) MUST_CHECK;
struct tftp_settings *tftp_settings_ref(struct tftp_settings *set);
void tftp_settings_unref(struct tftp_settings *set);

/* What the server is willing to do for this client. mtu: of the interface; 0: unknown. */
struct tftp_limits tftp_settings_limits(const struct tftp_settings *set,
    const struct tftp_client *who, unsigned mtu);

#endif
